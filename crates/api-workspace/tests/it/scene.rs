//! One thing of every kind in an app, so that the path of every route can be filled in.

use omni_api_workspace::{ROUTES, WorkspaceApi};
use omni_domain::Role;
use omni_http::{Reach, RouteSpec};
use omni_testkit::{Call, Cast, Client, TestApi};

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
}

impl Ids {
    /// Makes one thing of every kind in the app; the conversation is `client`'s own.
    pub(crate) async fn make(client: &Client, app: i64) -> Self {
        let service = client.post(&format!("/internal/ai_services?app_id={app}"));
        let body = serde_json::json!({ "name": "A service", "provider": "local", "model": "local" });
        let service = service.json(&body).send().await.expect(201)["service_id"].as_i64().unwrap();
        let agent = client.create_agent(app, "An agent", None).await;
        let invite = client.post(&format!("/internal/collaboration/apps/{app}/invite"));
        let invited = invite.json(&serde_json::json!({ "email": Cast::INVITED })).send().await.expect(201);
        let collaboration = invited["collab_id"].as_i64().unwrap();
        let key = client.post(&format!("/internal/api_keys?app_id={app}"));
        let key =
            key.json(&serde_json::json!({ "name": "A key" })).send().await.expect(201)["key_id"].as_i64().unwrap();
        let person = client.meet(&format!("passer-by-{app}@example.com")).await.user_id;
        let ids = Self { app, agent, service, collaboration, key, person, ..Self::unknown() };
        ids.talked_by(client).await.signed_in_by(client).await
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
        }
    }

    /// What stands for a parameter of a path, and for a reference of the same name.
    pub(crate) fn parameter(self, name: &str) -> i64 {
        match name {
            "app_id" => self.app,
            "agent_id" => self.agent,
            "service_id" => self.service,
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
    parameters(path)
        .fold(path.to_owned(), |filled, name| filled.replace(&format!("{{{name}}}"), &ids.parameter(name).to_string()))
}

/// The path and query of a call that makes sense, with `?app_id=` only where it must be.
pub(crate) fn target(route: &Route, ids: Ids) -> String {
    let app = (route.access().reach == Reach::AppByQuery).then(|| ("app_id", ids.app.to_string()));
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

/// The route's own example at another place.
pub(crate) fn call_at(client: &Client, route: &Route, target: &str) -> Call {
    let call = client.request(route.method.as_str(), target);
    match route.example().body {
        Some(body) => call.json(&body),
        None => call,
    }
}

/// The route's own example.
pub(crate) fn call(client: &Client, route: &Route, ids: Ids) -> Call {
    call_at(client, route, &target(route, ids))
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
