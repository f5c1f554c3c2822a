//! The deadlines of a lent client, and what its errors become.

use std::time::Duration;

use omni_egress::{Allow, Egress, EgressError, EgressPolicy, TimedOut};
use url::Url;

use crate::server::{Answer, Server, ok};

#[tokio::test]
async fn a_lent_client_does_not_wait_through_a_long_silence() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec();
    let server = Server::start(move |request| {
        Answer::Stall(if request.starts_with("GET /body ") { head.clone() } else { Vec::new() })
    })
    .await;
    let policy = EgressPolicy {
        allow: Allow::parse(&server.address.to_string()).unwrap(),
        lent_silence: Duration::from_millis(150),
        ..EgressPolicy::default()
    };
    let egress = Egress::new(policy).unwrap();
    let url: Url = server.url("/head").parse().unwrap();
    let error = egress.client_for(&url).unwrap().get(url).send().await.unwrap_err();
    assert!(matches!(EgressError::from(error), EgressError::TimedOut(TimedOut::Headers)));
    let url: Url = server.url("/body").parse().unwrap();
    let answer = egress.client_for(&url).unwrap().get(url).send().await.unwrap();
    let error = answer.bytes().await.unwrap_err();
    assert!(matches!(EgressError::from(error), EgressError::TimedOut(_)));
}

#[tokio::test]
async fn a_client_lent_for_a_listed_port_reaches_that_port_only() {
    let (listed, other) = (Server::start(|_| ok(b"listed")).await, Server::start(|_| ok(b"other")).await);
    let policy = EgressPolicy {
        allow: Allow::parse(&format!("{},{}", listed.address, other.address)).unwrap(),
        ..EgressPolicy::default()
    };
    let egress = Egress::new(policy).unwrap();
    let client = egress.client_for(&listed.url("/").parse().unwrap()).unwrap();
    assert_eq!(client.get(listed.url("/")).send().await.unwrap().text().await.unwrap(), "listed");
    let error = EgressError::from(client.get(other.url("/")).send().await.unwrap_err());
    assert!(matches!(&error, EgressError::Refused { host } if host == "127.0.0.1"), "{error:?}");
    assert_eq!(other.connections(), 0);
}
