//! What a person does before they can be measured: sign in, make an app, a service and an agent.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::client::{Connection, form, request};

/// A person who is signed in.
pub(crate) struct Person {
    address: SocketAddr,
    cookie: String,
}

impl Person {
    pub(crate) async fn sign_in(address: SocketAddr, index: usize) -> anyhow::Result<Self> {
        Self::sign_in_as(address, &email(index)).await
    }

    pub(crate) async fn sign_in_as(address: SocketAddr, email: &str) -> anyhow::Result<Self> {
        let body = json!({ "email": email }).to_string();
        let mut connection = Connection::open(address).await?;
        let answer = connection.exchange(&request("POST", "/internal/auth/dev-login", address, "", &body)).await?;
        ensure!(answer.status == 200, "nobody can sign in: status {}", answer.status);
        let cookie = answer.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        Ok(Self { address, cookie: cookie.context("signing in sets no cookie")?.to_owned() })
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        request("GET", path, self.address, &format!("cookie: {}\r\n", self.cookie), "")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Vec<u8> {
        request("POST", path, self.address, &format!("cookie: {}\r\n", self.cookie), &body.to_string())
    }

    /// An upload of these files.
    pub(crate) fn upload(&self, path: &str, files: &[(String, Vec<u8>)]) -> Vec<u8> {
        form(path, self.address, &format!("cookie: {}\r\n", self.cookie), files)
    }

    /// An agent that answers with what the model at `base_url` says; the request that talks to it in a new conversation.
    pub(crate) async fn talk_to(&self, base_url: &str, model: &str) -> anyhow::Result<Vec<u8>> {
        let app = self.create("/internal/apps", &json!({ "name": "Bench" }), "app_id").await?;
        let service = json!({ "name": model, "provider": "openai", "model": model, "base_url": base_url,
            "api_key": "bench-key" });
        let service = self.create(&format!("/internal/ai_services?app_id={app}"), &service, "service_id").await?;
        let agent = json!({ "name": model, "service_id": service });
        let agent = self.create(&format!("/internal/agents?app_id={app}"), &agent, "agent_id").await?;
        let message = json!({ "message": "Count, please.", "new_conversation": true });
        Ok(self.post(&format!("/internal/agents/{agent}/chat"), &message))
    }

    pub(crate) async fn create(&self, path: &str, body: &Value, id: &str) -> anyhow::Result<i64> {
        let mut connection = Connection::open(self.address).await?;
        let made = connection.exchange(&self.post(path, body)).await?.json()?;
        made.get(id).and_then(Value::as_i64).with_context(|| format!("{path} answers no {id}"))
    }
}

pub(crate) fn email(index: usize) -> String {
    format!("person-{index}@bench.example")
}

/// So many different people, signed in.
pub(crate) async fn people(address: SocketAddr, count: usize) -> anyhow::Result<Vec<Person>> {
    let mut people = Vec::with_capacity(count);
    for index in 0..count {
        people.push(Person::sign_in(address, index).await?);
    }
    Ok(people)
}
