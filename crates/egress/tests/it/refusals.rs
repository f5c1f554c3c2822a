//! The corpus against every way a URL comes in: no sentinel may be reached.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use omni_egress::{Allow, Egress, EgressError, EgressPolicy, Request, Resolver, SystemResolver};
use url::Url;

use crate::{
    corpus,
    names::Rotating,
    server::{Sentinel, Server, redirect},
};

fn policy(allow: &str) -> EgressPolicy {
    EgressPolicy { allow: Allow::parse(allow).unwrap(), connect: Duration::from_secs(2), ..EgressPolicy::default() }
}

/// Names lead to loopback, so that a URL which is only saved by its name not resolving is not saved here.
fn to_loopback() -> Arc<dyn Resolver> {
    Arc::new(Rotating::always(&["127.0.0.1", "::1"]))
}

fn is_refusal(error: &EgressError) -> bool {
    matches!(
        error,
        EgressError::Url { .. }
            | EgressError::Refused { .. }
            | EgressError::RedirectRefused
            | EgressError::RedirectInvalid
    )
}

#[test]
fn the_corpus_is_large_and_without_repetition() {
    let urls = corpus::urls(1234);
    let distinct: HashSet<_> = urls.iter().collect();
    assert_eq!(distinct.len(), urls.len());
    assert!(urls.len() >= 200, "{} URLs", urls.len());
}

#[tokio::test]
async fn sending_is_refused() {
    let sentinel = Sentinel::start().await;
    let egress = Egress::with_resolver(policy(""), to_loopback()).unwrap();
    for url in corpus::urls(sentinel.port) {
        let sent = match egress.parse(&url) {
            Ok(url) => egress.send(Request::get(url)).await,
            Err(error) => Err(error),
        };
        let error = sent.expect_err(&url);
        assert!(is_refusal(&error), "{url}: {error:?}");
    }
    sentinel.assert_untouched().await;
}

#[tokio::test]
async fn sending_without_a_check_before_it_is_refused() {
    let sentinel = Sentinel::start().await;
    let egress = Egress::with_resolver(policy(""), to_loopback()).unwrap();
    for url in corpus::urls(sentinel.port).iter().filter_map(|url| Url::parse(url).ok()) {
        let error = egress.send(Request::post(url.clone()).body("secret")).await.expect_err(url.as_str());
        assert!(is_refusal(&error), "{url}: {error:?}");
    }
    sentinel.assert_untouched().await;
}

#[tokio::test]
async fn names_of_this_machine_are_refused_with_the_system_resolver() {
    let sentinel = Sentinel::start().await;
    let egress = Egress::with_resolver(policy(""), Arc::new(SystemResolver::default())).unwrap();
    let url = egress.parse(&format!("http://localhost:{}/", sentinel.port)).unwrap();
    let error = egress.send(Request::get(url)).await.unwrap_err();
    assert!(matches!(&error, EgressError::Refused { host } if host == "localhost"), "{error:?}");
    sentinel.assert_untouched().await;
}

/// A borrower that was lent a client for a public URL and then follows its own mind.
#[tokio::test]
async fn a_lent_client_reaches_no_refused_address() {
    let sentinel = Sentinel::start().await;
    let egress = Egress::with_resolver(policy("127.0.0.1:9"), to_loopback()).unwrap();
    let public: Url = "https://api.example.com/v1".parse().unwrap();
    let listed: Url = "http://127.0.0.1:9/v1".parse().unwrap();
    for lent_for in [public, listed] {
        let client = egress.client_for(&lent_for).unwrap();
        for url in corpus::urls(sentinel.port) {
            let Err(error) = client.get(&url).send().await else { panic!("{url} was answered") };
            let (builder, error) = (error.is_builder(), EgressError::from(error));
            assert!(builder || is_refusal(&error), "{url}: {error:?}");
        }
    }
    sentinel.assert_untouched().await;
}

#[tokio::test]
async fn no_client_is_lent_for_a_refused_address() {
    let egress = Egress::with_resolver(policy(""), to_loopback()).unwrap();
    let mut refused = 0;
    for url in corpus::urls(8080).iter().filter_map(|url| Url::parse(url).ok()) {
        assert_eq!(egress.client_for(&url).is_err(), egress.check(&url).is_err(), "{url}");
        refused += usize::from(egress.check(&url).is_err());
    }
    assert!(refused > 150, "{refused}");
}

#[tokio::test]
async fn a_redirect_is_refused_like_the_url_itself() {
    let sentinel = Sentinel::start().await;
    // A blank or a line break ends the header, so such a URL is no redirect to that URL.
    let targets: Vec<String> = corpus::urls(sentinel.port)
        .into_iter()
        .filter(|url| url.contains("://") && !url.contains(['\n', '\t', ' ']))
        .collect();
    let locations = targets.clone();
    let server = Server::start(move |request| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let mut parts = path.trim_start_matches('/').split('/').map(|part| part.parse::<usize>().unwrap());
        let (status, index) = (parts.next().unwrap(), parts.next().unwrap());
        redirect(u16::try_from(status).unwrap(), &locations[index])
    })
    .await;
    let egress = Egress::with_resolver(policy(&server.address.to_string()), to_loopback()).unwrap();
    let cases = targets.iter().enumerate().flat_map(|(index, url)| [301, 302, 303, 307, 308].map(|s| (index, url, s)));
    let count = stream::iter(cases)
        .map(|(index, target, status)| {
            let (egress, url) = (egress.clone(), server.url(&format!("/{status}/{index}")));
            async move {
                let request = Request::post(egress.parse(&url).unwrap()).body("secret");
                let error = egress.send(request).await.expect_err(target);
                assert!(
                    matches!(error, EgressError::RedirectRefused | EgressError::RedirectInvalid),
                    "{status} to {target}: {error:?}"
                );
            }
        })
        .buffer_unordered(8)
        .count()
        .await;
    assert_eq!(count, targets.len() * 5);
    assert!(targets.len() > 150, "{}", targets.len());
    sentinel.assert_untouched().await;
}
