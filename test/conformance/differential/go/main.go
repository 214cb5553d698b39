// Verdicts of Go's crypto/x509: a chain per line of JSON on stdin, a verdict per line on stdout.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"os"
	"time"
)

type question struct {
	Root  []byte
	Chain [][]byte
	Host  string
	Time  int64
}

type answer struct {
	OK     bool   `json:"ok"`
	Reason string `json:"reason"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	decoder := json.NewDecoder(in)
	encoder := json.NewEncoder(out)
	for decoder.More() {
		var q question
		if err := decoder.Decode(&q); err != nil {
			panic(err)
		}
		if err := judge(q); err != nil {
			encoder.Encode(answer{false, err.Error()})
		} else {
			encoder.Encode(answer{true, ""})
		}
	}
}

func judge(q question) error {
	leaf, err := x509.ParseCertificate(q.Chain[0])
	if err != nil {
		return err
	}
	root, err := x509.ParseCertificate(q.Root)
	if err != nil {
		return err
	}
	options := x509.VerifyOptions{
		DNSName:       q.Host,
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		CurrentTime:   time.UnixMilli(q.Time),
	}
	options.Roots.AddCert(root)
	for _, der := range q.Chain[1:] {
		if certificate, err := x509.ParseCertificate(der); err == nil {
			options.Intermediates.AddCert(certificate)
		}
	}
	_, err = leaf.Verify(options)
	return err
}
