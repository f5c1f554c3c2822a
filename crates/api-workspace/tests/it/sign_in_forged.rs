//! Answers that no honest provider gives, and callbacks that no honest browser makes: each is refused, and signs nobody in.

use omni_domain::Clock;
use omni_testkit::{Answer, Browser, ForgingKey, ForgingProvider, ManualClock, TestApi};
use serde_json::{Value, json};
use time::Duration;
use url::Url;

/// A server, and the provider that it believes.
struct Stage {
    api: TestApi,
    provider: ForgingProvider,
    key: ForgingKey,
}

/// A browser that has gone to the provider.
struct Gone {
    browser: Browser,
    state: String,
    nonce: String,
}

impl Stage {
    async fn set() -> Self {
        let key = ForgingKey::new("one", 1);
        let provider = ForgingProvider::start(&key).await;
        let clock = ManualClock::default();
        let api = TestApi::builder().clock(&clock).signs_in_by(provider.issuer()).start().await;
        Self { api, provider, key }
    }

    fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.api.address())).unwrap()
    }

    async fn leave(&self) -> Gone {
        let mut browser = Browser::default();
        let answer = browser.open(&self.url("/internal/auth/login")).await;
        let to = Url::parse(answer.header("location").unwrap_or_else(|| panic!("{answer}"))).unwrap();
        let parameter = |wanted: &str| to.query_pairs().find(|(name, _)| name == wanted).unwrap().1.into_owned();
        Gone { browser, state: parameter("state"), nonce: parameter("nonce") }
    }

    async fn come_back(&self, gone: &mut Gone, query: &str) -> Answer {
        gone.browser.open(&self.url(&format!("/internal/auth/callback?{query}"))).await
    }

    /// Claims that are right for this sign-in.
    fn claims(&self, gone: &Gone) -> Value {
        self.provider.claims(&gone.nonce, self.api.clock().now().unix_timestamp())
    }

    /// A whole sign-in with a token that `forge` makes of claims that are right.
    async fn sign_in_with(&self, forge: impl FnOnce(&ForgingKey, Value) -> String) -> Answer {
        let mut gone = self.leave().await;
        self.provider.give(&forge(&self.key, self.claims(&gone)));
        let query = format!("code=c&state={}", gone.state);
        self.come_back(&mut gone, &query).await
    }

    async fn sessions(&self) -> i64 {
        self.api.database().snapshot().await.rows("sessions")
    }
}

fn with(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

#[tokio::test]
async fn what_is_right_signs_in_and_what_is_forged_does_not() {
    let stage = Stage::set().await;
    let now = stage.api.clock().now().unix_timestamp();
    type Forge = Box<dyn Fn(&ForgingKey, Value) -> String>;
    let changed = |changes: Value| -> Forge { Box::new(move |key, claims| key.sign(&with(claims, &changes))) };
    let lacking = |name: &'static str| -> Forge { Box::new(move |key, claims| key.sign(&without(claims, name))) };
    let headed = |header: Value| -> Forge { Box::new(move |key, claims| key.sign_as(&header, &claims)) };
    let forged: Vec<(&str, &str, Forge)> = vec![
        ("another nonce", "id_token_nonce", changed(json!({ "nonce": "another" }))),
        ("no nonce", "id_token_nonce", lacking("nonce")),
        ("another issuer", "id_token_issuer", changed(json!({ "iss": "https://evil.example" }))),
        (
            "the issuer with a slash",
            "id_token_issuer",
            changed(json!({ "iss": format!("{}/", stage.provider.issuer().url) })),
        ),
        ("another audience", "id_token_audience", changed(json!({ "aud": "another" }))),
        ("no audience", "id_token_malformed", lacking("aud")),
        (
            "two audiences and nobody it was given to",
            "id_token_authorized_party",
            changed(json!({ "aud": ["omni", "x"] })),
        ),
        ("another authorized party", "id_token_authorized_party", changed(json!({ "azp": "another" }))),
        ("over", "id_token_expired", changed(json!({ "exp": now - 61 }))),
        ("without an end", "id_token_malformed", lacking("exp")),
        ("valid in ten minutes", "id_token_not_yet_valid", changed(json!({ "nbf": now + 600 }))),
        ("made in ten minutes", "id_token_not_yet_valid", changed(json!({ "iat": now + 600 }))),
        ("about nobody", "id_token_subject", changed(json!({ "sub": "" }))),
        ("without a subject", "id_token_subject", lacking("sub")),
        (
            "without a signature",
            "id_token_algorithm",
            Box::new(|_, claims| format!("{}.", ForgingKey::unsigned(&json!({ "alg": "none" }), &claims))),
        ),
        (
            "signed with the public key as a secret",
            "id_token_algorithm",
            Box::new(|key, claims| {
                let signed = ForgingKey::unsigned(&json!({ "alg": "HS256", "kid": "one" }), &claims);
                omni_testkit::hmac_signed(key.public(), &signed)
            }),
        ),
        (
            "of an algorithm that is not announced",
            "id_token_algorithm",
            headed(json!({ "alg": "RS256", "kid": "one" })),
        ),
        ("of a key that is not published", "id_token_key", headed(json!({ "alg": "EdDSA", "kid": "two" }))),
        (
            "by another key of the same name",
            "id_token_signature",
            Box::new(|_, claims| ForgingKey::new("one", 2).sign(&claims)),
        ),
        (
            "changed after it was signed",
            "id_token_signature",
            Box::new(|key, claims| {
                let token = key.sign(&claims);
                let signature = token.rsplit('.').next().unwrap();
                let header = json!({ "alg": "EdDSA", "kid": "one", "typ": "JWT" });
                format!("{}.{signature}", ForgingKey::unsigned(&header, &with(claims, &json!({ "sub": "admin" }))))
            }),
        ),
        (
            "with a key of its own",
            "id_token_key",
            headed(json!({ "alg": "EdDSA", "kid": "me", "jwk": stage.key.jwk() })),
        ),
        (
            "with an extension that must be understood",
            "id_token_malformed",
            headed(json!({ "alg": "EdDSA", "kid": "one", "crit": ["b64"] })),
        ),
        ("an access token", "id_token_malformed", headed(json!({ "alg": "EdDSA", "kid": "one", "typ": "at+jwt" }))),
        ("no token", "id_token_malformed", Box::new(|_, _| "nonsense".to_owned())),
    ];
    for (what, code, forge) in &forged {
        let answer = stage.sign_in_with(forge).await;
        answer.refusal(502);
        assert_eq!(answer.json()["code"], json!(code), "{what}");
        assert_eq!(stage.sessions().await, 0, "{what}");
    }
    assert!(forged.len() >= 22);
    let snapshot = stage.api.database().snapshot().await;
    assert_eq!((snapshot.rows("users"), snapshot.rows("identities")), (0, 0));
    assert_eq!(stage.sign_in_with(ForgingKey::sign_owned).await.status, 303);
    assert_eq!(stage.sessions().await, 1);
}

#[tokio::test]
async fn a_callback_that_belongs_to_no_sign_in_is_refused_and_asks_nothing_of_the_provider() {
    let stage = Stage::set().await;
    let gone = stage.leave().await;
    stage.provider.give(&stage.key.sign(&stage.claims(&gone)));
    for query in [
        String::new(),
        "code=c".to_owned(),
        "code=c&state=".to_owned(),
        "code=c&state=another".to_owned(),
        format!("code=c&state={}x", gone.state),
        format!("code=c&state={}%00", gone.state),
        format!("code=c&state={0}&state={0}", gone.state),
    ] {
        let mut same = Gone { browser: gone.browser.clone(), state: String::new(), nonce: String::new() };
        stage.come_back(&mut same, &query).await.refusal(400);
    }
    assert_eq!(stage.provider.asked("/token"), Vec::<String>::new());
    let mut gone = gone;
    let query = format!("code=c&state={}", gone.state);
    assert_eq!(stage.come_back(&mut gone, &query).await.status, 303, "none of them used up the right one");
}

#[tokio::test]
async fn an_answer_in_another_providers_name_is_refused_before_the_code_goes_anywhere() {
    let stage = Stage::set().await;
    let mut gone = stage.leave().await;
    let query = format!("code=c&state={}&iss=https://evil.example", gone.state);
    let answer = stage.come_back(&mut gone, &query).await;
    answer.refusal(502);
    assert_eq!(answer.json()["code"], json!("id_token_issuer"));
    assert_eq!(stage.provider.asked("/token"), Vec::<String>::new());
}

#[tokio::test]
async fn a_person_who_declines_is_told_so() {
    let stage = Stage::set().await;
    let mut gone = stage.leave().await;
    let query = format!("error=access_denied&error_description=%3Cscript%3E&state={}", gone.state);
    let answer = stage.come_back(&mut gone, &query).await;
    assert_eq!(answer.refusal(403), "the identity provider did not sign you in (access_denied); sign in again");
    let without_code = stage.leave().await;
    let query = format!("state={}", without_code.state);
    let mut without_code = without_code;
    stage.come_back(&mut without_code, &query).await.refusal(400);
    assert_eq!(stage.sessions().await, 0);
}

#[tokio::test]
async fn the_code_is_redeemed_with_what_proves_who_asks() {
    let stage = Stage::set().await;
    stage.sign_in_with(ForgingKey::sign_owned).await;
    let asked = stage.provider.asked("/token");
    let request = asked.first().unwrap();
    assert!(request.contains("authorization: Basic b21uaTpzZWNyZXQ="), "{request}");
    let body = request.split("\r\n\r\n").nth(1).unwrap();
    let form: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |wanted: &str| form.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    assert_eq!((field("grant_type"), field("code")), (Some("authorization_code"), Some("c")));
    assert_eq!(field("code_verifier").map(str::len), Some(43));
    assert_eq!(field("redirect_uri"), Some(stage.url("/internal/auth/callback").as_str()));
    assert_eq!(field("client_secret"), None);
}

#[tokio::test]
async fn new_keys_are_fetched_when_they_sign_and_not_at_every_forged_name() {
    let stage = Stage::set().await;
    let sign = |key: ForgingKey| move |_: &ForgingKey, claims: Value| key.sign(&claims);
    assert_eq!(stage.sign_in_with(ForgingKey::sign_owned).await.status, 303);
    for seed in 10..15 {
        stage.sign_in_with(sign(ForgingKey::new("unknown", seed))).await.refusal(502);
    }
    assert_eq!(stage.provider.asked("/keys").len(), 1, "asked a moment ago");
    let next = ForgingKey::new("two", 2);
    stage.provider.answer("/keys", 200, json!({ "keys": [next.jwk()] }));
    stage.api.clock().advance(Duration::seconds(30));
    assert_eq!(stage.sign_in_with(sign(ForgingKey::new("two", 2))).await.status, 303);
    assert_eq!(stage.provider.asked("/keys").len(), 2);
    let old = stage.sign_in_with(ForgingKey::sign_owned).await;
    old.refusal(502);
    assert_eq!(old.json()["code"], json!("id_token_key"), "what the provider withdrew is not believed");
}

#[tokio::test]
async fn what_the_provider_says_of_itself_is_refused_unless_it_fits() {
    for (what, change) in [
        ("another issuer", json!({ "issuer": "https://evil.example" })),
        ("shared secrets only", json!({ "id_token_signing_alg_values_supported": ["HS256", "none"] })),
        ("no secret in a way that we know", json!({ "token_endpoint_auth_methods_supported": ["tls_client_auth"] })),
        ("no authorization endpoint", json!({ "authorization_endpoint": null })),
        ("an endpoint that is none", json!({ "token_endpoint": "file:///etc/passwd" })),
    ] {
        let stage = Stage::set().await;
        let metadata = with(stage.provider.metadata(), &change);
        stage.provider.answer("/.well-known/openid-configuration", 200, metadata);
        let answer = stage.api.anonymous().get("/internal/auth/login").send().await;
        let detail = answer.refusal(502);
        assert!(detail.contains("identity provider"), "{what}: {detail}");
        assert!(!detail.contains("evil") && !detail.contains("passwd"), "{what}: {detail}");
    }
    let stage = Stage::set().await;
    stage.provider.answer("/.well-known/openid-configuration", 302, stage.provider.metadata());
    stage.api.anonymous().get("/internal/auth/login").send().await.refusal(502);
}

#[tokio::test]
async fn user_information_about_somebody_else_is_refused() {
    let stage = Stage::set().await;
    let endpoint = format!("{}/userinfo", stage.provider.issuer().url);
    let metadata = with(stage.provider.metadata(), &json!({ "userinfo_endpoint": endpoint }));
    stage.provider.answer("/.well-known/openid-configuration", 200, metadata);
    let info = |sub: &str| json!({ "sub": sub, "email": "ada@example.com", "email_verified": "true" });
    stage.provider.answer("/userinfo", 200, info("somebody else"));
    let bare = |key: &ForgingKey, claims: Value| key.sign(&without(without(claims, "email"), "email_verified"));
    let answer = stage.sign_in_with(bare).await;
    answer.refusal(502);
    assert_eq!((&answer.json()["code"], stage.sessions().await), (&json!("userinfo_subject"), 0));
    stage.provider.answer("/userinfo", 200, info("ada"));
    assert_eq!(stage.sign_in_with(bare).await.status, 303);
}
