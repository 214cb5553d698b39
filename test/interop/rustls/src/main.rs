//! A TLS 1.3 peer on rustls, for the interoperability tests: a server that echoes, or a client that sends each line
//! that it reads and prints what comes back. On standard error it says, as JSON, how each handshake went.
//! The client's line `REKEY` is not sent: it replaces the client's own traffic key.

use std::collections::HashMap;
use std::error::Error;
use std::io::{BufRead, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme, Stream,
};

type Fallible<T> = Result<T, Box<dyn Error>>;

const MAX_EARLY_DATA: u32 = 1000;

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].trim_start_matches('-'), pair[1].as_str())).collect();
    match options.get("connect") {
        Some(address) => talk(address, &options),
        None => serve(&options),
    }
}

/// Of the groups `groups`, all that there are if it is empty; every suite and scheme of `ring`.
fn provider(options: &HashMap<&str, &str>) -> CryptoProvider {
    let all = ring::default_provider();
    let kx_groups = options["groups"]
        .split(':')
        .filter_map(|name| match name {
            "x25519" => Some(ring::kx_group::X25519),
            "secp256r1" => Some(ring::kx_group::SECP256R1),
            "secp384r1" => Some(ring::kx_group::SECP384R1),
            _ => None,
        })
        .collect::<Vec<_>>();
    if kx_groups.is_empty() { all } else { CryptoProvider { kx_groups, ..all } }
}

struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    roots: Arc<RootCertStore>,
}

fn shown(options: &HashMap<&str, &str>) -> Fallible<Shown> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_file_iter(options["ca"])? {
        roots.add(root?)?;
    }
    Ok(Shown {
        chain: CertificateDer::pem_file_iter(options["cert"])?.collect::<Result<_, _>>()?,
        key: PrivateKeyDer::from_pem_file(options["key"])?,
        roots: Arc::new(roots),
    })
}

fn serve(options: &HashMap<&str, &str>) -> Fallible<()> {
    let provider = Arc::new(provider(options));
    let Shown { chain, key, roots } = shown(options)?;
    let clients = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build()?;
    let staple = options.get("staple").map(std::fs::read).transpose()?.unwrap_or_default();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .with_client_cert_verifier(clients)
        .with_single_cert_with_ocsp(chain, key, staple)?;
    config.max_early_data_size = MAX_EARLY_DATA;
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("PORT {}", listener.local_addr()?.port());
    for socket in listener.incoming() {
        let (socket, config) = (socket?, config.clone());
        std::thread::spawn(move || {
            if let Err(error) = echo(socket, config) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

fn echo(mut socket: TcpStream, config: Arc<ServerConfig>) -> Fallible<()> {
    let mut connection = ServerConnection::new(config)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    let mut early = Vec::new();
    if let Some(mut data) = connection.early_data() {
        data.read_to_end(&mut early)?;
    }
    eprintln!("{{\"kind\":\"{:?}\",\"early\":{}}}", connection.handshake_kind(), early.len());
    let mut stream = Stream::new(&mut connection, &mut socket);
    stream.write_all(&early)?;
    let mut buffer = [0; 16_384];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        stream.write_all(&buffer[..length])?;
    }
    connection.send_close_notify();
    connection.complete_io(&mut socket)?;
    Ok(())
}

fn talk(address: &str, options: &HashMap<&str, &str>) -> Fallible<()> {
    let provider = Arc::new(provider(options));
    let Shown { chain, key, roots } = shown(options)?;
    let verifier = AnyName { roots, algorithms: provider.signature_verification_algorithms };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(chain, key)?;
    config.enable_early_data = options.contains_key("early");
    let config = Arc::new(config);
    let mut input = std::io::stdin().lock().lines();
    // With `meet`, a connection of its own for that line first: its session is there for the next.
    if let Some(greeting) = options.get("meet") {
        converse(address, &config, None, &mut [Ok(greeting.to_string())].into_iter())?;
    }
    converse(address, &config, options.get("early").copied(), &mut input)
}

fn converse(
    address: &str,
    config: &Arc<ClientConfig>,
    early: Option<&str>,
    lines: &mut dyn Iterator<Item = std::io::Result<String>>,
) -> Fallible<()> {
    let mut connection = ClientConnection::new(config.clone(), ServerName::try_from("peer.test")?)?;
    let mut socket = TcpStream::connect(address)?;
    if let Some(text) = early {
        let mut data = connection.early_data().ok_or("no early data: the session allows none")?;
        data.write_all(format!("{text}\n").as_bytes())?;
    }
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    let taken = connection.is_early_data_accepted();
    eprintln!("{{\"kind\":\"{:?}\",\"early\":{taken}}}", connection.handshake_kind());
    for line in lines {
        let line = line?;
        if line == "REKEY" {
            connection.refresh_traffic_keys()?;
            continue;
        }
        let mut stream = Stream::new(&mut connection, &mut socket);
        let mut answer = vec![0; line.len() + 1];
        stream.write_all(format!("{line}\n").as_bytes())?;
        stream.read_exact(&mut answer)?;
        std::io::stdout().write_all(&answer)?;
        std::io::stdout().flush()?;
    }
    connection.send_close_notify();
    connection.complete_io(&mut socket)?;
    Ok(())
}

/// Judges the chain only: it would look for host names, which identities of the mesh don't have.
#[derive(Debug)]
struct AnyName {
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let leaf = ParsedCertificate::try_from(leaf)?;
        let all = self.algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&leaf, &self.roots, intermediates, now, all)?;
        eprintln!("{{\"staple\":{}}}", ocsp_response.len());
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
