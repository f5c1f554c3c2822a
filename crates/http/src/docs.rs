use std::sync::{Arc, OnceLock};

use actix_web::HttpResponse;
use actix_web::http::header;
use utoipa_swagger_ui::Config;

use crate::{Plane, Router, Visit, document};

/// What a page of the documentation may load: itself. The viewer styles inline and draws its icons as data.
const POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// The documentation of an API: the OpenAPI document, and a viewer that needs nothing from outside.
pub(crate) struct Docs {
    root: String,
    config: Arc<Config<'static>>,
    /// Written when it is first asked for: most processes are never asked.
    document: OnceLock<String>,
}

impl Docs {
    pub(crate) fn new<P: Plane>() -> Self {
        let root = format!("/docs/{}", P::NAME);
        let config = Config::from(format!("{root}/openapi.json"));
        Self { root, config: Arc::new(config), document: OnceLock::new() }
    }

    /// The page that the request is for, if it is for one of the documentation's.
    pub(crate) fn serve<P: Plane>(&self, router: &Router<P>, visit: &Visit) -> Option<HttpResponse> {
        let file = visit.path().strip_prefix(&self.root)?;
        if !visit.is_safe() || !(file.is_empty() || file.starts_with('/')) {
            return None;
        }
        let file = file.trim_matches('/');
        if file == "openapi.json" {
            let json = self.document.get_or_init(|| document(router).to_json());
            return Some(page("application/json", json.clone().into_bytes()));
        }
        let found = utoipa_swagger_ui::serve(file, Arc::clone(&self.config)).ok()??;
        let bytes =
            if file.is_empty() || file == "index.html" { self.rooted(&found.bytes) } else { found.bytes.into_owned() };
        Some(page(&found.content_type, bytes))
    }

    /// The viewer's page with its files named from the root: it answers without a trailing slash, too, where a browser
    /// would look for them one folder up.
    fn rooted(&self, html: &[u8]) -> Vec<u8> {
        String::from_utf8_lossy(html)
            .replace("=\"./", &format!("=\"{}/", self.root))
            .replace("href=\"index.css\"", &format!("href=\"{}/index.css\"", self.root))
            .into_bytes()
    }
}

fn page(content_type: &str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .body(bytes)
}
