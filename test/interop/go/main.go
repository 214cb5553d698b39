// A TLS 1.3 peer on Go's crypto/tls, for the interoperability tests: a server that echoes, or a client that sends what
// it reads and prints what it gets. On standard error it says, as JSON, what was negotiated.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

var groups = map[string]tls.CurveID{
	"X25519MLKEM768": tls.X25519MLKEM768,
	"x25519":         tls.X25519,
	"secp256r1":      tls.CurveP256,
	"secp384r1":      tls.CurveP384,
}

func main() {
	connect := flag.String("connect", "", "be a client of this address; without it, a server")
	certificate := flag.String("cert", "", "PEM file: our chain")
	key := flag.String("key", "", "PEM file: our key")
	authority := flag.String("ca", "", "PEM file: the roots that the peer's chain must lead to")
	names := flag.String("groups", "", "groups, best first, separated by colons")
	staple := flag.String("staple", "", "DER file: an OCSP response to show with our chain")
	greeting := flag.String("meet", "", "as a client, first a connection of its own for this line")
	protocols := flag.String("alpn", "", "protocols, separated by commas")
	flag.Parse()

	config, err := configure(*certificate, *key, *authority, *names, *protocols)
	if err == nil && *staple != "" {
		config.Certificates[0].OCSPStaple, err = os.ReadFile(*staple)
	}
	if err == nil && *connect != "" && *greeting != "" {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		err = meet(*connect, *greeting, config)
	}
	if err == nil && *connect != "" {
		err = talk(*connect, config)
	} else if err == nil {
		err = serve(config)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func configure(certificate, key, authority, names, protocols string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(authority)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New("no root")
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS13,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    roots,
		// Go looks for host names; the chain is verified below instead.
		InsecureSkipVerify: true,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			return verify(raw, roots)
		},
	}
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ':' }) {
		config.CurvePreferences = append(config.CurvePreferences, groups[name])
	}
	if protocols != "" {
		config.NextProtos = strings.Split(protocols, ",")
	}
	return config, nil
}

func verify(raw [][]byte, roots *x509.CertPool) error {
	intermediates := x509.NewCertPool()
	var leaf *x509.Certificate
	for index, der := range raw {
		parsed, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		if index == 0 {
			leaf = parsed
		} else {
			intermediates.AddCert(parsed)
		}
	}
	if leaf == nil {
		return errors.New("no certificate")
	}
	options := x509.VerifyOptions{
		Roots:         roots,
		Intermediates: intermediates,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	_, err := leaf.Verify(options)
	return err
}

func serve(config *tls.Config) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("PORT %d\n", listener.Addr().(*net.TCPAddr).Port)
	for {
		socket, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			if err := echo(tls.Server(socket, config)); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
	}
}

func echo(connection *tls.Conn) error {
	if err := say(connection); err != nil {
		return err
	}
	if _, err := io.Copy(connection, connection); err != nil {
		return err
	}
	return connection.Close()
}

// A ticket comes with the first data or before it, so that the answer proves that it has come.
func meet(address, greeting string, config *tls.Config) error {
	connection, err := tls.Dial("tcp", address, config)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(connection, greeting); err != nil {
		return err
	}
	if _, err := io.ReadFull(connection, make([]byte, len(greeting)+1)); err != nil {
		return err
	}
	return connection.Close()
}

func talk(address string, config *tls.Config) error {
	connection, err := tls.Dial("tcp", address, config)
	if err != nil {
		return err
	}
	if err := say(connection); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(connection, os.Stdin)
		_ = connection.CloseWrite()
	}()
	if _, err := io.Copy(os.Stdout, connection); err != nil {
		return err
	}
	return connection.Close()
}

func say(connection *tls.Conn) error {
	if err := connection.Handshake(); err != nil {
		return err
	}
	state := connection.ConnectionState()
	return json.NewEncoder(os.Stderr).Encode(map[string]any{
		"suite":   tls.CipherSuiteName(state.CipherSuite),
		"group":   state.CurveID.String(),
		"alpn":    state.NegotiatedProtocol,
		"resumed": state.DidResume,
		"staple":  len(state.OCSPResponse),
		"peer":    state.PeerCertificates[0].URIs[0].String(),
	})
}
