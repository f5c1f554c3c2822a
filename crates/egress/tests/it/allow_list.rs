//! What an entry of the allow-list opens, and what it leaves shut.

use std::sync::Arc;

use omni_egress::{Allow, Egress, EgressError, EgressPolicy, Request};

use crate::{
    names::Rotating,
    server::{Sentinel, Server, ok},
};

fn egress(allow: &str, names: &[&str]) -> Egress {
    let policy = EgressPolicy { allow: Allow::parse(allow).unwrap(), ..EgressPolicy::default() };
    Egress::with_resolver(policy, Arc::new(Rotating::always(names))).unwrap()
}

async fn get(egress: &Egress, url: &str) -> Result<String, EgressError> {
    let body = egress.send(Request::get(egress.parse(url)?)).await?.bytes().await?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

fn refused(result: &Result<String, EgressError>) -> bool {
    matches!(result, Err(EgressError::Refused { .. }))
}

#[tokio::test]
async fn an_address_is_open_at_its_port_only() {
    let (server, sentinel) = (Server::start(|_| ok(b"hello")).await, Sentinel::start().await);
    let egress = egress(&server.address.to_string(), &["127.0.0.1"]);
    let (open, shut) = (server.address.port(), sentinel.port);
    assert_eq!(get(&egress, &format!("http://127.0.0.1:{open}/")).await.unwrap(), "hello");
    assert_eq!(get(&egress, &format!("http://0x7f.1:{open}/")).await.unwrap(), "hello");
    assert_eq!(get(&egress, &format!("http://[::ffff:127.0.0.1]:{open}/")).await.unwrap(), "hello");
    assert_eq!(get(&egress, &format!("http://a.name.of.it:{open}/")).await.unwrap(), "hello");
    assert!(refused(&get(&egress, &format!("http://127.0.0.1:{shut}/")).await));
    assert!(refused(&get(&egress, &format!("http://a.name.of.it:{shut}/")).await));
    assert!(refused(&get(&egress, &format!("http://127.0.0.2:{open}/")).await));
    assert!(refused(&get(&egress, &format!("http://[64:ff9b::127.0.0.1]:{open}/")).await));
    sentinel.assert_untouched().await;
}

#[tokio::test]
async fn a_name_is_open_at_its_port_only_and_so_is_no_other_name() {
    let (server, sentinel) = (Server::start(|_| ok(b"hello")).await, Sentinel::start().await);
    let (open, shut) = (server.address.port(), sentinel.port);
    let egress = egress(&format!("Model.local:{open}"), &["127.0.0.1"]);
    assert_eq!(get(&egress, &format!("http://model.local:{open}/")).await.unwrap(), "hello");
    assert_eq!(get(&egress, &format!("http://MODEL.LOCAL:{open}/")).await.unwrap(), "hello");
    for url in [
        format!("http://model.local:{shut}/"),
        format!("http://other.local:{open}/"),
        format!("http://x.model.local:{open}/"),
        format!("http://127.0.0.1:{open}/"),
        "http://model.local/".to_owned(),
        "https://model.local/".to_owned(),
    ] {
        assert!(refused(&get(&egress, &url).await), "{url}");
    }
    sentinel.assert_untouched().await;
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_default_port_of_the_scheme_is_a_port_like_any_other() {
    let egress = egress("127.0.0.1:80,[::1]:443", &["127.0.0.1"]);
    for open in ["http://127.0.0.1/", "http://127.0.0.1:80/", "https://127.0.0.1:80/", "https://[::1]/"] {
        assert!(egress.parse(open).is_ok(), "{open}");
    }
    for shut in ["https://127.0.0.1/", "http://127.0.0.1:443/", "http://[::1]/", "http://[::1]:80/"] {
        assert!(egress.parse(shut).is_err(), "{shut}");
    }
}

#[tokio::test]
async fn a_network_is_open_at_every_port_for_addresses_and_names() {
    let server = Server::start(|_| ok(b"hello")).await;
    let port = server.address.port();
    let open = egress("127.0.0.0/8", &["127.0.0.1", "::1"]);
    assert_eq!(get(&open, &format!("http://127.0.0.1:{port}/")).await.unwrap(), "hello");
    assert_eq!(get(&open, &format!("http://[::ffff:7f00:1]:{port}/")).await.unwrap(), "hello");
    // ::1 is not in the network: the name reaches the address that is.
    assert_eq!(get(&open, &format!("http://model.local:{port}/")).await.unwrap(), "hello");
    assert!(refused(&get(&open, &format!("http://[::1]:{port}/")).await));
    assert!(refused(&get(&open, &format!("http://10.0.0.1:{port}/")).await));
    let shut = egress("10.0.0.0/8,::1/128", &["127.0.0.1"]);
    assert!(refused(&get(&shut, &format!("http://model.local:{port}/")).await));
}

#[tokio::test]
async fn ipv6_is_open_as_ipv4_is() {
    let server = Server::start_at("[::1]:0", |_| ok(b"hello")).await;
    let port = server.address.port();
    let open = egress(&format!("[::1]:{port}"), &["::1"]);
    assert_eq!(get(&open, &format!("http://[::1]:{port}/")).await.unwrap(), "hello");
    assert_eq!(get(&open, &format!("http://six.local:{port}/")).await.unwrap(), "hello");
    let shut = egress("fd00::/8", &["::1"]);
    assert!(refused(&get(&shut, &format!("http://[::1]:{port}/")).await));
    assert!(refused(&get(&shut, &format!("http://six.local:{port}/")).await));
}

#[tokio::test]
async fn a_port_of_another_protocol_opens_when_it_is_listed_by_name_or_address() {
    let open = egress("relay.local:25,10.0.0.1:22,10.0.0.0/8", &["127.0.0.1"]);
    assert!(open.parse("http://relay.local:25/").is_ok());
    assert!(open.parse("http://10.0.0.1:22/").is_ok());
    assert!(open.parse("http://10.0.0.2:22/").is_err());
    assert!(open.parse("http://other.local:25/").is_err());
}

#[tokio::test]
async fn a_resolver_does_not_choose_the_port() {
    let sentinel = Sentinel::start().await;
    let policy = EgressPolicy { allow: Allow::parse("model.local:80").unwrap(), ..EgressPolicy::default() };
    let names = Rotating::always(&["127.0.0.1"]).with_port(sentinel.port);
    let egress = Egress::with_resolver(policy, Arc::new(names)).unwrap();
    // Whether anything listens at port 80 here is not the point.
    let _either = get(&egress, "http://model.local/").await;
    sentinel.assert_untouched().await;
}
