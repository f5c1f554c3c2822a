use std::collections::BTreeMap;

use reqwest::Method;
use url::Url;

use crate::{Answer, Client};

/// The most steps that any walk takes.
const MOST_STEPS: usize = 20;

/// As much of a browser as signing in takes: it keeps cookies by origin and follows redirects and forms when told to.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    /// Opens an address, and stays where that leads to.
    pub async fn open(&mut self, url: &Url) -> Answer {
        self.send(Method::GET, url, None).await
    }

    /// Sends a form.
    pub async fn submit(&mut self, url: &Url, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.send(Method::POST, url, Some(form.finish())).await
    }

    /// Walks from an address through the provider, signing in as `person`, until it is sent to an address for which
    /// `is_there` holds, and answers that without opening it.
    ///
    /// # Panics
    /// If the walk ends elsewhere.
    pub async fn walk(&mut self, from: &Url, person: &str, is_there: impl Fn(&Url) -> bool) -> Url {
        let (mut at, mut answer) = (from.clone(), self.open(from).await);
        for _ in 0..MOST_STEPS {
            if (300..400).contains(&answer.status) {
                at = at.join(answer.header("location").unwrap()).unwrap();
                if is_there(&at) {
                    return at;
                }
                answer = self.open(&at).await;
            } else {
                let page = String::from_utf8_lossy(&answer.body).into_owned();
                let action = between(&page, "action=\"", "\"").unwrap_or_else(|| panic!("no form at {at}: {answer}"));
                let prompt = between(&page, "name=\"prompt\" value=\"", "\"").unwrap_or_default();
                at = at.join(&action).unwrap();
                let fields = [("prompt", prompt.as_str()), ("login", person), ("password", "any")];
                answer = self.submit(&at, &fields).await;
            }
        }
        panic!("the walk from {from} does not end; it is at {at}");
    }

    /// The `Cookie` header for an address.
    #[must_use]
    pub fn cookies(&self, url: &Url) -> Option<String> {
        let cookies = self.cookies.get(&url.origin().ascii_serialization()).filter(|cookies| !cookies.is_empty())?;
        Some(cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; "))
    }

    async fn send(&mut self, method: Method, url: &Url, form: Option<String>) -> Answer {
        let client = Client::anonymous(url.origin().ascii_serialization()).with_cookie(self.cookies(url).as_deref());
        let call = client.request(method.as_str(), &url[url::Position::BeforePath..]);
        let call = match form {
            Some(form) => call.body("application/x-www-form-urlencoded", form),
            None => call,
        };
        let answer = call.send().await;
        let kept = self.cookies.entry(url.origin().ascii_serialization()).or_default();
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let is_over =
                value.is_empty() || cookie.contains("Max-Age=0") || cookie.contains("expires=Thu, 01 Jan 1970");
            if is_over {
                kept.remove(name);
            } else {
                kept.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let rest = text.split_once(before)?.1;
    Some(rest.split_once(after)?.0.to_owned())
}
