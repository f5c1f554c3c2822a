use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::Issuer;

/// An identity provider that says whatever a test has it say. It stops when it is dropped.
#[derive(Debug)]
pub struct ForgingProvider {
    issuer: Issuer,
    says: Arc<Mutex<Says>>,
    _serving: JoinSet<()>,
}

/// What it answers, by path: status and body. What it was asked, in order: path, headers and body.
#[derive(Debug, Default)]
struct Says {
    answers: Vec<(String, u16, Value)>,
    asked: Vec<(String, String)>,
}

/// A key that the provider signs with; keys of different seeds differ.
#[derive(Debug)]
pub struct ForgingKey {
    kid: String,
    pair: Ed25519KeyPair,
}

impl ForgingKey {
    /// The key of this seed.
    ///
    /// # Panics
    /// Never: every seed makes a key.
    #[must_use]
    pub fn new(kid: &str, seed: u8) -> Self {
        Self { kid: kid.to_owned(), pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap() }
    }

    /// The public half, as it is published.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.public());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.kid, "use": "sig", "x": x })
    }

    /// The public half in bytes.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// A token of these claims, signed.
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({ "alg": "EdDSA", "kid": self.kid, "typ": "JWT" }), claims)
    }

    /// The same for claims that nobody needs any more.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "of the shape of every other way to forge")]
    pub fn sign_owned(&self, claims: Value) -> String {
        self.sign(&claims)
    }

    /// A token with a header of one's own, signed all the same.
    #[must_use]
    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let signed = Self::unsigned(header, claims);
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The part of a token that is signed.
    #[must_use]
    pub fn unsigned(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(header), part(claims))
    }
}

/// A token whose signature is made with a shared secret.
#[must_use]
pub fn hmac_signed(secret: &[u8], signed: &str) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
}

impl ForgingProvider {
    /// Starts one that describes itself as it should, and publishes this key.
    ///
    /// # Panics
    /// If it cannot listen.
    pub async fn start(key: &ForgingKey) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let says = Arc::<Mutex<Says>>::default();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Arc::clone(&says)));
        let issuer = Issuer { url, client_id: "omni".to_owned(), client_secret: "secret".to_owned() };
        let provider = Self { issuer, says, _serving: serving };
        provider.answer("/.well-known/openid-configuration", 200, provider.metadata());
        provider.answer("/keys", 200, json!({ "keys": [key.jwk()] }));
        provider
    }

    /// What the API has to know of it.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What it says of itself.
    #[must_use]
    pub fn metadata(&self) -> Value {
        let url = &self.issuer.url;
        json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "jwks_uri": format!("{url}/keys"),
            "id_token_signing_alg_values_supported": ["EdDSA", "HS256", "none"],
        })
    }

    /// Claims that are right, for the sign-in of this nonce at this second.
    #[must_use]
    pub fn claims(&self, nonce: &str, now: i64) -> Value {
        json!({
            "iss": self.issuer.url,
            "aud": self.issuer.client_id,
            "sub": "ada",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": "ada@example.com",
            "email_verified": true,
            "name": "Ada Lovelace",
        })
    }

    /// Has it answer a path so from now on.
    ///
    /// # Panics
    /// If a test that failed has left it in disorder.
    pub fn answer(&self, path: &str, status: u16, body: Value) {
        let mut says = self.says.lock().unwrap();
        says.answers.retain(|(known, ..)| known != path);
        says.answers.push((path.to_owned(), status, body));
    }

    /// Has its token endpoint give this ID token from now on.
    pub fn give(&self, id_token: &str) {
        self.answer("/token", 200, json!({ "id_token": id_token, "access_token": "access", "token_type": "Bearer" }));
    }

    /// What it was asked at a path so far: head and body of each request.
    ///
    /// # Panics
    /// If a test that failed has left it in disorder.
    #[must_use]
    pub fn asked(&self, path: &str) -> Vec<String> {
        let says = self.says.lock().unwrap();
        says.asked.iter().filter(|(known, _)| known == path).map(|(_, request)| request.clone()).collect()
    }
}

async fn serve(listener: TcpListener, says: Arc<Mutex<Says>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let says = Arc::clone(&says);
        connections.spawn(async move {
            // Whoever asked may have gone away.
            let _ = exchange(stream, &says).await;
        });
    }
}

async fn exchange(mut stream: TcpStream, says: &Mutex<Says>) -> std::io::Result<()> {
    let request = read(&mut stream).await?;
    let target = request.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let (status, body) = {
        let mut says = says.lock().unwrap();
        let answer = says.answers.iter().find(|(known, ..)| *known == path);
        let answer = answer.map_or((404, json!({})), |(_, status, body)| (*status, body.clone()));
        says.asked.push((path, request));
        answer
    };
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\nlocation: /keys\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).await
}

/// A whole request: its head, and as much body as the head announces.
async fn read(stream: &mut TcpStream) -> std::io::Result<String> {
    let (mut request, mut piece) = (String::new(), [0; 4_096]);
    loop {
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let announced =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= announced.unwrap_or(0) {
                return Ok(request);
            }
        }
        let length = stream.read(&mut piece).await?;
        if length == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        request.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
}
