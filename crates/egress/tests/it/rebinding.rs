//! Names whose answer changes between two questions.

use std::{sync::Arc, time::Duration};

use omni_egress::{Allow, Egress, EgressError, EgressPolicy, Request};

use crate::{
    names::{Rotating, Silent},
    server::{Sentinel, Server, ok},
};

fn policy(allow: &str) -> EgressPolicy {
    EgressPolicy { allow: Allow::parse(allow).unwrap(), connect: Duration::from_millis(200), ..EgressPolicy::default() }
}

/// First public, then loopback, and so on: what a check before the connection would let pass every other time.
#[tokio::test]
async fn an_alternating_name_never_leads_to_loopback() {
    let sentinel = Sentinel::start().await;
    // Benchmark addresses stand for public ones, so that no packet leaves the machine: listed, but nobody answers.
    let names = Arc::new(Rotating::new(&[&["198.18.0.1"], &["127.0.0.1", "::1"]]));
    let egress = Egress::with_resolver(policy("198.18.0.0/15"), Arc::<Rotating>::clone(&names)).unwrap();
    let url = egress.parse(&format!("http://rebind.example.com:{}/", sentinel.port)).unwrap();
    for turn in 0..20 {
        let error = egress.send(Request::get(url.clone())).await.unwrap_err();
        let refused = matches!(error, EgressError::Refused { .. });
        assert_eq!(refused, turn % 2 == 1, "turn {turn}: {error:?}");
        assert_eq!(names.asked(), turn + 1, "one question for each connection");
    }
    let lent = egress.client_for(&url).unwrap();
    for turn in 0..20 {
        let error = EgressError::from(lent.get(url.clone()).send().await.unwrap_err());
        assert_eq!(matches!(error, EgressError::Refused { .. }), turn % 2 == 1, "turn {turn}: {error:?}");
    }
    sentinel.assert_untouched().await;
}

/// The connection goes where the checked answer said, though the next answer would say another place.
#[tokio::test]
async fn the_connection_is_pinned_to_the_answer_that_was_checked() {
    let server = Server::start_at("127.0.0.2:0", |_| ok(b"the right one")).await;
    let port = server.address.port();
    let wrong = Server::start_at(&format!("127.0.0.1:{port}"), |_| ok(b"the wrong one")).await;
    let names = Arc::new(Rotating::new(&[&["127.0.0.2"], &["127.0.0.1"]]));
    let egress = Egress::with_resolver(policy("127.0.0.2/32"), Arc::<Rotating>::clone(&names)).unwrap();
    let url = egress.parse(&format!("http://model.local:{port}/")).unwrap();
    let answer = egress.send(Request::get(url.clone())).await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), "the right one");
    assert_eq!((names.asked(), server.connections(), wrong.connections()), (1, 1, 0));
    // The open connection is used again, so nothing is asked.
    let answer = egress.send(Request::get(url)).await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), "the right one");
    assert_eq!((names.asked(), server.connections(), wrong.connections()), (1, 1, 0));
}

#[tokio::test]
async fn of_a_mixed_answer_only_what_passed_is_connected_to() {
    let server = Server::start_at("127.0.0.3:0", |_| ok(b"listed")).await;
    let port = server.address.port();
    let wrong = Server::start_at(&format!("127.0.0.1:{port}"), |_| ok(b"not listed")).await;
    let names = Arc::new(Rotating::always(&["127.0.0.1", "::1", "169.254.169.254", "127.0.0.3"]));
    let egress = Egress::with_resolver(policy("127.0.0.3/32"), names).unwrap();
    let url = egress.parse(&format!("http://mixed.example.com:{port}/")).unwrap();
    let answer = egress.send(Request::get(url)).await.unwrap();
    assert_eq!(answer.bytes().await.unwrap(), "listed");
    assert_eq!(wrong.connections(), 0);
}

#[tokio::test]
async fn a_name_without_an_address_is_not_resolved() {
    let nowhere = Egress::with_resolver(policy(""), Arc::new(Rotating::always(&[]))).unwrap();
    let silent = Egress::with_resolver(policy(""), Arc::new(Silent)).unwrap();
    for egress in [nowhere, silent] {
        let url = egress.parse("https://example.com/").unwrap();
        let error = egress.send(Request::get(url.clone())).await.unwrap_err();
        assert!(matches!(error, EgressError::Resolve { .. }), "{error:?}");
        let lent = egress.client_for(&url).unwrap().get(url).send().await.unwrap_err();
        assert!(matches!(EgressError::from(lent), EgressError::Resolve { .. }));
    }
}
