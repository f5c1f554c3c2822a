//! TLS: what is trusted, and HTTP/2.

use std::{net::SocketAddr, sync::Arc};

use omni_egress::{Allow, Egress, EgressError, EgressPolicy, Request};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

/// A TLS server that speaks these protocols, tells the first bytes that a client sends over TLS, and answers them if they
/// are HTTP/1.1.
struct TlsServer {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    first_bytes: mpsc::Receiver<Vec<u8>>,
    _tasks: JoinSet<()>,
}

async fn start(protocols: &[&[u8]]) -> TlsServer {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["model.local".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, first_bytes) = mpsc::channel(8);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut first = vec![0; 14];
            if stream.read_exact(&mut first).await.is_err() {
                continue;
            }
            if first.starts_with(b"GET") {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await.unwrap();
            }
            tell.send(first).await.unwrap();
        }
    });
    TlsServer { address, certificate: cert.der().clone(), first_bytes, _tasks: tasks }
}

fn egress(server: &TlsServer, trusted: bool) -> Egress {
    let policy = EgressPolicy {
        allow: Allow::parse(&server.address.to_string()).unwrap(),
        extra_roots: if trusted { vec![server.certificate.clone()] } else { Vec::new() },
        ..EgressPolicy::default()
    };
    Egress::with_resolver(policy, Arc::new(crate::names::Rotating::always(&["127.0.0.1"]))).unwrap()
}

fn get(host: &str, server: &TlsServer) -> Request {
    Request::get(format!("https://{host}:{}/", server.address.port()).parse().unwrap())
}

#[tokio::test]
async fn a_trusted_certificate_of_that_name_is_accepted() {
    let mut server = start(&[b"http/1.1"]).await;
    let answer = egress(&server, true).send(get("model.local", &server)).await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), "hello");
    assert_eq!(server.first_bytes.recv().await.unwrap(), b"GET / HTTP/1.1");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_of_another_name_is_not() {
    let server = start(&[b"http/1.1"]).await;
    for (trusted, host) in [(false, "model.local"), (true, "other.local"), (true, "127.0.0.1")] {
        let error = egress(&server, trusted).send(get(host, &server)).await.unwrap_err();
        assert!(matches!(error, EgressError::Connect { .. }), "{host}: {error:?}");
    }
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_speaks_it() {
    let mut server = start(&[b"h2", b"http/1.1"]).await;
    let egress = egress(&server, true);
    // The server hangs up after the preface, so what the client makes of the answer is not the point.
    let (_answer, preface) = tokio::join!(egress.send(get("model.local", &server)), server.first_bytes.recv());
    assert_eq!(preface.unwrap(), b"PRI * HTTP/2.0");
}
