//! Connections are kept and used again.

use std::time::Instant;

use omni_egress::{Allow, Egress, EgressPolicy, Request};
use url::Url;

use crate::server::{Server, ok};

fn egress(server: &Server) -> (Egress, Url) {
    let allow = Allow::parse(&server.address.to_string()).unwrap();
    let egress = Egress::new(EgressPolicy { allow, ..EgressPolicy::default() }).unwrap();
    let url = egress.parse(&server.url("/")).unwrap();
    (egress, url)
}

#[tokio::test]
async fn requests_in_a_row_share_a_connection() {
    let server = Server::start(|_| ok(b"hello")).await;
    let (egress, url) = egress(&server);
    for _ in 0..50 {
        egress.clone().send(Request::get(url.clone())).await.unwrap().bytes().await.unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 50));
}

#[tokio::test]
async fn a_client_lent_again_finds_its_connection() {
    let server = Server::start(|_| ok(b"hello")).await;
    let (egress, url) = egress(&server);
    for _ in 0..50 {
        let client = egress.client_for(&url).unwrap();
        client.get(url.clone()).send().await.unwrap().bytes().await.unwrap();
    }
    assert_eq!((server.connections(), server.requests().len()), (1, 50));
}

/// The bound is loose enough for an unoptimised build on a busy machine; what it excludes is making a client each time.
#[tokio::test]
async fn lending_costs_next_to_nothing() {
    let server = Server::start(|_| ok(b"hello")).await;
    let (egress, _) = egress(&server);
    let url: Url = "https://api.example.com/v1/chat/completions".parse().unwrap();
    let start = Instant::now();
    for _ in 0..10_000 {
        std::hint::black_box(egress.client_for(&url).unwrap());
    }
    let each = start.elapsed() / 10_000;
    println!("client_for: {each:?}");
    assert!(each.as_micros() < 100, "{each:?}");
}
