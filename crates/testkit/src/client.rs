use std::time::Duration;

use bytes::Bytes;
use omni_scripted_model::ScriptedModel;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{Answer, Events, PATIENCE};

/// The key that [`Client::create_service`] gives a service.
pub const PROVIDER_KEY: &str = "sk-canary-5a1ted-0001";

/// One person at one server, or nobody.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    cookie: Option<String>,
    /// Who it is.
    pub email: String,
    /// The account's number; 0 for nobody.
    pub user_id: i64,
}

impl Client {
    /// Somebody whose session nobody knows: in FAKE mode a request without any would be signed in by itself.
    #[must_use]
    pub fn anonymous(base: String) -> Self {
        // Another client of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "a client of the API under test, which is on this machine")]
        let http = reqwest::Client::builder()
            // A connection that is kept would keep the server from stopping.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .no_gzip()
            .connect_timeout(Duration::from_secs(10))
            .build()
            .unwrap();
        let cookie = Some("session=nobody-knows-this-session".to_owned());
        Self { http, base, cookie, email: "nobody".to_owned(), user_id: 0 }
    }

    /// Signs somebody in by FAKE mode's own way.
    pub async fn signed_in(base: String, email: &str) -> Self {
        let visitor = Self::anonymous(base);
        let answer = visitor.post("/internal/auth/dev-login").json(&json!({ "email": email })).send().await;
        let user = answer.expect(200)["user"].clone();
        let (cookie, _) = answer.cookie().expect("signing in gives a cookie");
        let user_id = user["user_id"].as_i64().unwrap();
        Self { cookie: Some(cookie), email: email.to_owned(), user_id, ..visitor }
    }

    /// The same person in a session of its own.
    pub async fn again(&self) -> Self {
        Self::signed_in(self.base.clone(), &self.email).await
    }

    /// Somebody else at the same server, signed in.
    pub async fn meet(&self, email: &str) -> Self {
        Self::signed_in(self.base.clone(), email).await
    }

    /// The same place with another `Cookie` header, or none.
    #[must_use]
    pub fn with_cookie(&self, cookie: Option<&str>) -> Self {
        Self { cookie: cookie.map(str::to_owned), ..self.clone() }
    }

    /// The `Cookie` header that it sends.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Asks for something.
    #[must_use]
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// Makes something, or has something done.
    #[must_use]
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    /// Changes something.
    #[must_use]
    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    /// Removes something.
    #[must_use]
    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// A request of any method.
    ///
    /// # Panics
    /// If it is no method.
    #[must_use]
    pub fn request(&self, method: &str, path: &str) -> Call {
        self.call(Method::from_bytes(method.as_bytes()).unwrap(), path)
    }

    fn call(&self, method: Method, path: &str) -> Call {
        let asked = format!("{method} {path} by {}", self.email);
        let request = self.http.request(method, format!("{}{path}", self.base));
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        Call { asked, request }
    }

    /// Makes an app, and says its number.
    pub async fn create_app(&self, name: &str) -> i64 {
        let made = self.post("/internal/apps").json(&json!({ "name": name })).send().await.expect(201);
        made["app_id"].as_i64().unwrap()
    }

    /// Makes an AI service that speaks to a scripted model as OpenAI, and says its number. The model's name is the script.
    pub async fn create_service(&self, app: i64, server: &ScriptedModel, model: &str) -> i64 {
        let body = json!({
            "name": format!("{model} at {}", server.addr()),
            "provider": "openai",
            "model": model,
            "base_url": format!("{}v1", server.base_url()),
            "api_key": PROVIDER_KEY,
        });
        let made = self.post(&format!("/internal/ai_services?app_id={app}")).json(&body).send().await.expect(201);
        made["service_id"].as_i64().unwrap()
    }

    /// Makes an agent that answers by a service, or by the built-in model, and says its number.
    pub async fn create_agent(&self, app: i64, name: &str, service: Option<i64>) -> i64 {
        let body = json!({ "name": name, "service_id": service });
        let made = self.post(&format!("/internal/agents?app_id={app}")).json(&body).send().await.expect(201);
        made["agent_id"].as_i64().unwrap()
    }

    /// An agent whose service plays this script.
    pub async fn create_scripted_agent(&self, app: i64, server: &ScriptedModel, model: &str) -> i64 {
        let service = self.create_service(app, server, model).await;
        self.create_agent(app, model, Some(service)).await
    }

    /// Says something to an agent, and reads along.
    pub async fn chat(&self, agent: i64, message: &str) -> Events {
        self.post(&format!("/internal/agents/{agent}/chat")).json(&json!({ "message": message })).stream().await
    }

    /// Says something to an agent, and waits for the whole answer.
    pub async fn ask(&self, agent: i64, message: &str) -> Answer {
        let call = self.post(&format!("/internal/agents/{agent}/chat")).header("accept", "application/json");
        call.json(&json!({ "message": message })).send().await
    }

    /// The messages of a conversation.
    pub async fn history(&self, conversation: &Value) -> Vec<Value> {
        let history = self.get(&format!("/internal/conversations/{conversation}")).send().await.expect(200);
        history["messages"].as_array().unwrap().clone()
    }
}

/// A request that is being made.
#[derive(Debug)]
pub struct Call {
    asked: String,
    request: reqwest::RequestBuilder,
}

impl Call {
    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        Self { request: self.request.json(body), ..self }
    }

    /// With a body of any kind.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { request: self.request.header("content-type", content_type).body(body.into()), ..self }
    }

    /// With a header.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        Self { request: self.request.header(name, value), ..self }
    }

    /// With a form: text fields and files, each with its field, name and content.
    #[must_use]
    pub fn form(self, texts: &[(&'static str, &str)], files: &[(&'static str, &str, &[u8])]) -> Self {
        let form = texts.iter().fold(Form::new(), |form, (field, text)| form.text(*field, (*text).to_owned()));
        let form = files.iter().fold(form, |form, (field, filename, content)| {
            form.part(*field, Part::bytes(content.to_vec()).file_name((*filename).to_owned()))
        });
        Self { request: self.request.multipart(form), ..self }
    }

    /// Sends it, and reads the whole answer.
    ///
    /// # Panics
    /// If there is none in time.
    pub async fn send(self) -> Answer {
        let asked = self.asked;
        let answer = async {
            let response = self.request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, response.bytes().await?))
        };
        let (status, headers, body) = tokio::time::timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| panic!("{asked} was not answered within {PATIENCE:?}"))
            .unwrap_or_else(|error| panic!("{asked} failed: {error:?}"));
        Answer { asked, status, headers, body }
    }

    /// Sends it, and reads the answer as a stream of events.
    ///
    /// # Panics
    /// If the answer is no stream.
    pub async fn stream(self) -> Events {
        let asked = self.asked;
        let response = tokio::time::timeout(PATIENCE, self.request.send())
            .await
            .unwrap_or_else(|_| panic!("{asked} was not answered within {PATIENCE:?}"))
            .unwrap_or_else(|error| panic!("{asked} failed: {error:?}"));
        Events::of(asked, response).await
    }
}
