//! Failures of signing in: an identity provider that quotes what it was sent, and callbacks that nobody was given.

use omni_api_workspace::ROUTES;
use omni_testkit::{Browser, ForgingKey, ForgingProvider};
use serde_json::{Value, json};
use url::Url;

use crate::canaries::heard::Heard;
use crate::canaries::setting::{BEARER, CLIENT_SECRET, CODE, ID_TOKEN, SESSION, Setting};
use crate::program::Program;

pub(crate) async fn provoke(setting: &Setting, level: &str, heard: &mut Heard, said: &mut Vec<String>) {
    let provider = ForgingProvider::start(&ForgingKey::new("one", 1)).await;
    let program = setting
        .start(
            level,
            &[
                ("OMNI_OIDC_ISSUER", &provider.issuer().url),
                ("OMNI_OIDC_CLIENT_ID", "omni"),
                ("OMNI_OIDC_CLIENT_SECRET", CLIENT_SECRET),
                ("OMNI_PUBLIC_URL", "http://localhost:8000"),
            ],
        )
        .await;
    for (status, body) in answers() {
        provider.answer("/token", status, body);
        come_back(&program, heard).await;
    }
    let asked = provider.asked("/token");
    assert_eq!(asked.len(), answers().len());
    assert!(asked.iter().all(|request| request.contains(CODE)), "the provider has the code to quote");

    let stranger = program.stranger().with_cookie(Some(&format!("session={SESSION}")));
    for query in ["", "&state=", "&state=nobody-was-given-this", "&state=a&state=b", "&error=access_denied"] {
        heard.fail(stranger.get(&format!("/internal/auth/callback?code={CODE}{query}"))).await;
    }
    for route in ROUTES {
        let call = stranger.request(route.method.as_str(), route.path).json(&json!({}));
        heard.send(call.header("authorization", &format!("Bearer {BEARER}"))).await;
    }
    said.push(program.stop().await);
}

/// What the provider answers to a code: it quotes the secret, the code and a token wherever an answer has room.
fn answers() -> Vec<(u16, Value)> {
    let quoting = format!("{CLIENT_SECRET} and {CODE} are not right");
    let mut answers = vec![
        (200, json!({})),
        (200, json!([CLIENT_SECRET, CODE])),
        (200, json!({ "id_token": ID_TOKEN, "access_token": ID_TOKEN, "token_type": "Bearer" })),
        (200, json!({ "id_token": format!("{ID_TOKEN}.{ID_TOKEN}.{ID_TOKEN}"), "token_type": "Bearer" })),
        (200, json!({ "id_token": { "is": ID_TOKEN }, "token_type": quoting })),
        (200, json!({ "error": quoting, "error_description": quoting })),
    ];
    for status in [400, 401, 403, 429, 500, 503] {
        answers.push((status, json!({ "error": "invalid_client", "error_description": quoting })));
        answers.push((status, json!({ "error": quoting })));
        answers.push((status, json!(quoting)));
    }
    answers
}

/// Begins to sign in, and comes back with the code.
async fn come_back(program: &Program, heard: &mut Heard) {
    let at = |path: &str| Url::parse(&format!("{}{path}", program.http())).unwrap();
    let mut browser = Browser::default();
    let left = browser.open(&at("/internal/auth/login")).await;
    let to = Url::parse(left.header("location").unwrap_or_else(|| panic!("{left}"))).unwrap();
    let state = to.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let cookie = browser.cookies(&at("/")).unwrap();
    heard.learn("state of a sign-in", &state);
    heard.learn("cookie of a sign-in", cookie.split_once('=').unwrap().1);
    let back = program.stranger().with_cookie(Some(&cookie));
    heard.fail(back.get(&format!("/internal/auth/callback?code={CODE}&state={state}"))).await;
}
