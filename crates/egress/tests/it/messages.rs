//! What a person who wrote a URL gets to read when it fails.

use std::{error::Error, sync::Arc};

use omni_domain::ErrorKind;
use omni_egress::{Allow, Egress, EgressError, EgressPolicy, Request};

use crate::{
    names::{Rotating, Silent},
    server::{Sentinel, Server, ok, redirect},
};

fn egress(allow: &str, names: &[&str]) -> Egress {
    let policy = EgressPolicy { allow: Allow::parse(allow).unwrap(), ..EgressPolicy::default() };
    Egress::with_resolver(policy, Arc::new(Rotating::always(names))).unwrap()
}

async fn error_of(egress: &Egress, url: &str) -> EgressError {
    match egress.parse(url) {
        Ok(url) => egress.send(Request::get(url)).await.unwrap_err(),
        Err(error) => error,
    }
}

/// A private address answers the same whether something listens there or not.
#[tokio::test]
async fn a_refusal_does_not_tell_whether_anything_listens() {
    let (listening, closed) = (Sentinel::start().await, 1025);
    let egress = egress("", &["127.0.0.1"]);
    for host in ["127.0.0.1", "private.example.com"] {
        let open = error_of(&egress, &format!("http://{host}:{}/", listening.port)).await;
        let shut = error_of(&egress, &format!("http://{host}:{closed}/")).await;
        assert_eq!(open.to_string(), shut.to_string());
        assert_eq!(open.to_string(), format!("{host} is not allowed: only public addresses may be requested"));
        assert_eq!((open.kind(), open.code()), (ErrorKind::Invalid, "url_not_allowed"));
    }
    listening.assert_untouched().await;
}

#[tokio::test]
async fn a_message_names_no_address_no_port_and_no_secret_of_the_url() {
    let elsewhere = Sentinel::start().await;
    let target = format!("http://127.0.0.1:{}/admin?token=hidden", elsewhere.port);
    let server = Server::start(move |_| redirect(302, &target)).await;
    let listed = server.address.port();
    // Listed, but nothing listens: bound and let go again.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let resolving = egress(&format!("model.local:{listed},model.local:{closed}"), &["127.0.0.1"]);
    let silent = Egress::with_resolver(EgressPolicy::default(), Arc::new(Silent)).unwrap();

    let errors = [
        (error_of(&resolving, "http://private.example.com/bot123:hidden/?key=hidden").await, "url_not_allowed"),
        (error_of(&resolving, &format!("http://model.local:{listed}/?key=hidden")).await, "redirect_not_allowed"),
        (error_of(&resolving, &format!("http://model.local:{closed}/?key=hidden")).await, "connect_failed"),
        (error_of(&silent, "http://nowhere.example.com/?key=hidden").await, "host_not_resolved"),
        (error_of(&silent, "http://user:hidden@example.com/").await, "url_invalid"),
    ];
    for (error, code) in errors {
        assert_eq!(error.code(), code);
        let message = error.to_string();
        for detail in ["127.0.0.1", "10.9.8.7", "hidden", &listed.to_string(), &closed.to_string(), "refused"] {
            assert!(!message.contains(detail), "{message}");
        }
        // For logs there is more, but never the path or the query.
        let causes = std::iter::successors(error.source(), |&cause| cause.source());
        let chain: Vec<String> = causes.map(ToString::to_string).collect();
        assert!(!chain.join(": ").contains("hidden") && !format!("{error:?}").contains("hidden"), "{chain:?}");
        assert_eq!(chain.is_empty(), !matches!(code, "connect_failed" | "host_not_resolved"), "{code}: {chain:?}");
    }
    elsewhere.assert_untouched().await;
}

#[tokio::test]
async fn nothing_shown_for_debugging_holds_a_secret() {
    let server = Server::start(|_| ok(b"")).await;
    let egress = egress(&server.address.to_string(), &[]);
    let request = Request::post(server.url("/bot:hidden?key=hidden").parse().unwrap())
        .bearer(&"hidden".into())
        .unwrap()
        .header(http::HeaderName::from_static("x-custom"), http::HeaderValue::from_static("hidden"))
        .body("hidden");
    let shown = format!("{request:?}");
    assert!(shown.contains("POST") && shown.contains("authorization") && !shown.contains("hidden"), "{shown}");
    let answer = egress.send(request).await.unwrap();
    assert!(!format!("{answer:?}").contains("hidden"));
}
