//! One thing of every kind in an app, so that the path of every route can be filled in.

use omni_api_workspace::{ROUTES, WorkspaceApi};
use omni_domain::Role;
use omni_http::{Reach, RouteSpec};
use omni_testkit::{Call, Cast, Client, TestApi};
use serde_json::{Value, json};

pub(crate) type Route = RouteSpec<WorkspaceApi>;

/// An id that nothing has.
pub(crate) const UNKNOWN: i64 = 987_654_321;

/// The numbers that stand in a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) app: i64,
    pub(crate) agent: i64,
    pub(crate) service: i64,
    pub(crate) conversation: i64,
    pub(crate) turn: i64,
    /// The invitation of [`Cast::INVITED`], not answered yet.
    pub(crate) collaboration: i64,
    pub(crate) key: i64,
    /// Somebody's account that owns nothing.
    pub(crate) person: i64,
    pub(crate) session: i64,
    pub(crate) embedding_service: i64,
    /// A silo that is part of nothing.
    pub(crate) silo: i64,
    /// What the agent knows.
    pub(crate) document: i64,
    pub(crate) repository: i64,
    pub(crate) folder: i64,
    /// A file of the repository that nobody works on.
    pub(crate) file: i64,
    pub(crate) domain: i64,
    /// A page of the domain.
    pub(crate) url: i64,
    /// A visit of the domain that was stopped.
    pub(crate) job: i64,
    /// Another domain, and a visit of it that waits for its turn.
    pub(crate) busy: (i64, i64),
}

impl Ids {
    /// Makes one thing of every kind in the app; the conversation is `client`'s own.
    pub(crate) async fn make(client: &Client, app: i64) -> Self {
        let service = client.post(&format!("/internal/ai_services?app_id={app}"));
        let body = json!({ "name": "A service", "provider": "local", "model": "local" });
        let service = service.json(&body).send().await.expect(201)["service_id"].as_i64().unwrap();
        let agent = client.create_agent(app, "An agent", None).await;
        let invite = client.post(&format!("/internal/collaboration/apps/{app}/invite"));
        let invited = invite.json(&json!({ "email": Cast::INVITED })).send().await.expect(201);
        let collaboration = invited["collab_id"].as_i64().unwrap();
        let key = client.post(&format!("/internal/api_keys?app_id={app}"));
        let key = key.json(&json!({ "name": "A key" })).send().await.expect(201)["key_id"].as_i64().unwrap();
        let person = client.meet(&format!("passer-by-{app}@example.com")).await.user_id;
        let ids = Self { app, agent, service, collaboration, key, person, ..Self::unknown() };
        let ids = ids.drawn_on(client).await;
        ids.talked_by(client).await.signed_in_by(client).await
    }

    /// The same with what agents can draw on.
    async fn drawn_on(self, client: &Client) -> Self {
        let make = async |kind: &str, body: Value, id: &str| {
            let call = client.post(&format!("/internal/{kind}?app_id={}", self.app)).json(&body);
            call.send().await.expect(201)[id].as_i64().unwrap()
        };
        let embedding_service = json!({ "name": "Embeddings", "provider": "local" });
        let embedding_service = make("embedding_services", embedding_service, "service_id").await;
        let silo = make("silos", json!({ "name": "A silo" }), "silo_id").await;
        let repository = make("repositories", json!({ "name": "A repository" }), "repo_id").await;
        let folder = json!({ "name": "A folder", "repository_id": repository });
        let folder = make("folders", folder, "folder_id").await;
        let files = format!("/internal/repositories/{repository}/files");
        let file = client.post(&files).form(&[], &[("file", "a.txt", b"A file")]).send().await.expect(201);
        let file = file["resource_id"].as_i64().unwrap();
        client.post(&format!("{files}/{file}/cancel")).send().await.expect(200);
        // What the agent draws on is not what is deleted.
        let known = make("silos", json!({ "name": "What the agent knows" }), "silo_id").await;
        let text = json!({ "name": "A text", "text": "Good morning is said before noon." });
        let document = client.post(&format!("/internal/silos/{known}/documents")).json(&text).send().await.expect(201);
        let document = document["document_id"].as_i64().unwrap();
        let draws = json!({ "silo_id": known });
        client.put(&format!("/internal/agents/{}", self.agent)).json(&draws).send().await.expect(200);
        Self { embedding_service, silo, document, repository, folder, file, ..self }.visiting(client).await
    }

    /// The same with web sites that are visited.
    async fn visiting(self, client: &Client) -> Self {
        let domain = async |name: &str| {
            let body = json!({ "name": name, "base_url": "http://127.0.0.1:9" });
            let call = client.post(&format!("/internal/domains?app_id={}", self.app)).json(&body);
            let domain = call.send().await.expect(201)["domain_id"].as_i64().unwrap();
            let job = client.post(&format!("/internal/domains/{domain}/crawl")).send().await;
            (domain, job.expect(202)["job_id"].as_i64().unwrap())
        };
        let busy = domain("A busy domain").await;
        let (domain, job) = domain("A domain").await;
        client.post(&format!("/internal/domains/{domain}/jobs/{job}/cancel")).send().await.expect(200);
        let urls = format!("/internal/domains/{domain}/urls");
        client.post(&urls).json(&json!({ "urls": ["http://127.0.0.1:9/a"] })).send().await.expect(201);
        let url = client.get(&urls).send().await.expect(200)["items"][0]["url_id"].as_i64().unwrap();
        Self { domain, url, job, busy, ..self }
    }

    /// The same with a conversation of somebody else's own.
    pub(crate) async fn talked_by(self, client: &Client) -> Self {
        let answer = client.ask(self.agent, "Good morning").await.expect(200);
        let number = |name: &str| answer[name].as_i64().unwrap();
        Self { conversation: number("conversation_id"), turn: number("turn_id"), ..self }
    }

    /// The same with another session of somebody's own.
    pub(crate) async fn signed_in_by(self, client: &Client) -> Self {
        let elsewhere = client.again().await;
        let sessions = elsewhere.get("/internal/auth/sessions").send().await.expect(200);
        let current = sessions.as_array().unwrap().iter().find(|session| session["is_current"] == true).unwrap();
        Self { session: current["session_id"].as_i64().unwrap(), ..self }
    }

    /// Numbers that nothing has.
    pub(crate) const fn unknown() -> Self {
        Self {
            app: UNKNOWN,
            agent: UNKNOWN,
            service: UNKNOWN,
            conversation: UNKNOWN,
            turn: UNKNOWN,
            collaboration: UNKNOWN,
            key: UNKNOWN,
            person: UNKNOWN,
            session: UNKNOWN,
            embedding_service: UNKNOWN,
            silo: UNKNOWN,
            document: UNKNOWN,
            repository: UNKNOWN,
            folder: UNKNOWN,
            file: UNKNOWN,
            domain: UNKNOWN,
            url: UNKNOWN,
            job: UNKNOWN,
            busy: (UNKNOWN, UNKNOWN),
        }
    }

    /// What stands for a parameter of a path or a query, or for a reference in a body.
    pub(crate) fn parameter(self, path: &str, name: &str) -> i64 {
        match name {
            "service_id" if path.starts_with("/internal/embedding_services") => self.embedding_service,
            "domain_id" if is_stopped(path) => self.busy.0,
            "job_id" if is_stopped(path) => self.busy.1,
            "domain_id" => self.domain,
            "url_id" => self.url,
            "job_id" => self.job,
            "embedding_service_id" => self.embedding_service,
            "silo_id" => self.silo,
            "document_id" => self.document,
            "repo_id" | "repository_id" => self.repository,
            "folder_id" | "parent_folder_id" => self.folder,
            "file_id" => self.file,
            "app_id" => self.app,
            "agent_id" => self.agent,
            "service_id" | "reranking_service_id" => self.service,
            "conversation_id" => self.conversation,
            "turn_id" => self.turn,
            "collab_id" => self.collaboration,
            "key_id" => self.key,
            "user_id" | "actor_id" => self.person,
            "session_id" => self.session,
            other => panic!("a scene has no `{other}` yet: make one in `Ids::make`"),
        }
    }
}

/// Whether the path is for stopping a visit, which takes one that is not over.
fn is_stopped(path: &str) -> bool {
    path.starts_with("/internal/domains") && path.ends_with("/cancel")
}

/// The routes that change something.
pub(crate) fn changing() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| !route.method.is_safe())
}

/// The names of a path's parameters.
pub(crate) fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

/// The path with its parameters filled in.
pub(crate) fn filled(path: &str, ids: Ids) -> String {
    parameters(path).fold(path.to_owned(), |filled, name| {
        filled.replace(&format!("{{{name}}}"), &ids.parameter(path, name).to_string())
    })
}

/// The path and query of a call that makes sense, with `?app_id=` only where it must be.
pub(crate) fn target(route: &Route, ids: Ids) -> String {
    let app = match route.access().reach {
        Reach::AppByQuery => Some(("app_id", ids.app.to_string())),
        Reach::AppOfQueried(name) => Some((name, ids.parameter(route.path, name).to_string())),
        _ => None,
    };
    let example = route.example();
    let given = example.query.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let query: Vec<String> = given.chain(app).map(|(name, value)| format!("{name}={value}")).collect();
    join(&filled(route.path, ids), &query.join("&"))
}

/// A path with this in its query string.
pub(crate) fn join(path: &str, query: &str) -> String {
    match (query, path.contains('?')) {
        ("", _) => path.to_owned(),
        (_, true) => format!("{path}&{query}"),
        (_, false) => format!("{path}?{query}"),
    }
}

/// The body of the route's own example; what it refers to are these.
pub(crate) fn body(route: &Route, ids: Ids) -> Option<Value> {
    let mut body = route.example().body?;
    if let Some(repository) = body.get_mut("repository_id") {
        *repository = json!(ids.repository);
    }
    Some(body)
}

/// The route's own example at another place.
pub(crate) fn call_at(client: &Client, route: &Route, ids: Ids, target: &str) -> Call {
    let call = client.request(route.method.as_str(), target);
    let files = route.example().files;
    match body(route, ids) {
        Some(body) => call.json(&body),
        None if files.is_empty() => call,
        None => {
            let files: Vec<_> = files.iter().map(|file| (file.field, file.name, file.content.as_bytes())).collect();
            call.form(&[], &files)
        }
    }
}

/// The route's own example.
pub(crate) fn call(client: &Client, route: &Route, ids: Ids) -> Call {
    call_at(client, route, ids, &target(route, ids))
}

/// Whether only a collaborator can do it; an owner has nothing to leave.
pub(crate) fn is_leaving(route: &Route) -> bool {
    route.path.ends_with("/leave")
}

/// Somebody for whom the route's example succeeds, where that is not the owner.
pub(crate) async fn performer(api: &TestApi, owner: &Client, route: &Route, ids: Ids) -> Client {
    let invited = async || api.client(Cast::INVITED).await;
    match route.access().reach {
        Reach::Invitation => invited().await,
        _ if route.path.ends_with("/invitations") => invited().await,
        Reach::Platform if route.access().lowest == Some(Role::Omniadmin) => api.client("omniadmin@example.com").await,
        _ if is_leaving(route) => {
            let member = invited().await;
            let accept = format!("/internal/collaboration/{}/accept", ids.collaboration);
            member.put(&accept).send().await.expect(200);
            member
        }
        _ if route.path.contains("/auth/") => owner.again().await,
        _ => owner.clone(),
    }
}

/// What a failing test calls a route.
pub(crate) fn name(route: &Route) -> String {
    format!("{} {}", route.method.as_str(), route.path)
}
