//! Input that makes no sense is answered with a sentence that names what is wrong, and changes nothing.

use omni_api_workspace::ROUTES;
use omni_http::Reach;
use omni_testkit::{Answer, Client, PATIENCE, TestApi, eventually, raw};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::openapi::Document;
use crate::scene::{Ids, Route, body, filled, join, name, parameters, target};

/// An app with one of everything, and its owner.
struct Place {
    api: TestApi,
    document: Document,
    owner: Client,
    ids: Ids,
}

impl Place {
    async fn open() -> Self {
        let api = TestApi::start().await;
        // Whoever outranks everyone is refused for what they send, never for who they are.
        let owner = api.client("omniadmin@example.com").await;
        let app = owner.create_app("Our app").await;
        let ids = Ids::make(&owner, app).await;
        Self { document: Document::of(&api).await, api, owner, ids }
    }

    async fn send(&self, route: &Route, content_type: &str, body: impl Into<bytes::Bytes>) -> Answer {
        let call = self.owner.request(route.method.as_str(), &target(route, self.ids));
        call.body(content_type, body).send().await
    }

    async fn send_json(&self, route: &Route, body: &Value) -> Answer {
        self.send(route, "application/json", body.to_string()).await
    }

    /// The routes that read a JSON body, each with an example of one.
    fn with_bodies(&self) -> Vec<(&'static Route, Value)> {
        ROUTES.iter().filter_map(|route| Some((route, body(route, self.ids)?))).collect()
    }
}

/// The body with one field replaced.
fn with(body: &Value, field: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[field] = value;
    body
}

#[tokio::test]
async fn a_field_of_the_wrong_type_is_named() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    let mut tried = 0;
    for (route, body) in place.with_bodies() {
        for (field, types, _) in place.document.fields(route) {
            let is = |kind: &str| types.iter().any(|known| known == kind);
            let wrong = [
                (is("string"), json!("words")),
                (is("integer") || is("number"), json!(7)),
                (is("number"), json!(1.5)),
                (is("boolean"), json!(true)),
                (is("array"), json!(["a"])),
                (is("object"), json!({ "a": 1 })),
                (is("null"), json!(null)),
            ];
            for (_, value) in wrong.into_iter().filter(|(fits, _)| !fits) {
                let answer = place.send_json(route, &with(&body, &field, value.clone())).await;
                let detail = answer.refusal(400);
                assert!(detail.starts_with(&field), "{} with {field}={value}: {detail}", name(route));
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "only {tried} wrong types were tried");
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_field_that_is_missing_is_named() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    let mut tried = 0;
    for (route, body) in place.with_bodies() {
        for (field, ..) in place.document.fields(route).into_iter().filter(|(_, _, required)| *required) {
            let mut body = body.clone();
            body.as_object_mut().unwrap().remove(&field);
            let detail = place.send_json(route, &body).await.refusal(400);
            assert_eq!(detail, format!("{field}: required"), "{}", name(route));
            tried += 1;
        }
    }
    assert!(tried >= 6, "only {tried} fields are required");
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_text_that_is_too_long_or_has_characters_that_no_text_has_is_refused_by_name() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    for (route, body) in place.with_bodies() {
        for (field, types, required) in place.document.fields(route) {
            if !types.iter().any(|kind| kind == "string") {
                continue;
            }
            let long = place.send_json(route, &with(&body, &field, json!("x".repeat(1 << 20)))).await;
            let detail = long.refusal(400);
            assert!(detail.starts_with(&format!("{field}: ")), "{} with a megabyte in {field}: {detail}", name(route));
            let nul = place.send_json(route, &with(&body, &field, json!("a\u{0}b"))).await;
            assert!(nul.refusal(400).contains("NUL"), "{} with a NUL in {field}", name(route));
            let control = place.send_json(route, &with(&body, &field, json!("a\u{1b}[31mb"))).await;
            assert!(control.refusal(400).starts_with(&field), "{} with an escape in {field}", name(route));
            if required {
                let blank = place.send_json(route, &with(&body, &field, json!(" \t "))).await;
                assert!(blank.refusal(400).starts_with(&field), "{} with blanks in {field}", name(route));
            }
        }
    }
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_number_out_of_range_is_refused_by_name() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    let mut tried = 0;
    for (route, body) in place.with_bodies() {
        for (field, types, _) in place.document.fields(route) {
            if !types.iter().any(|kind| kind == "integer" || kind == "number") {
                continue;
            }
            for number in ["-1", "99999999999", "-9223372036854775808", "99999999999999999999", "1e308", "-1e308"] {
                // Numbers that JSON can write and few types can hold: put in as text.
                let text = with(&body, &field, json!("@")).to_string().replace("\"@\"", number);
                let answer = place.send(route, "application/json", text).await;
                let detail = answer.refusal(400);
                assert!(detail.starts_with(&field), "{} with {field}={number}: {detail}", name(route));
                tried += 1;
            }
        }
    }
    assert!(tried > 50);
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (route, body) in place.with_bodies() {
        let (_, is_required) = place.document.body(route).unwrap();
        let text = body.to_string();
        let twice = format!("{text}{text}");
        let comma = if text == "{}" { "" } else { "," };
        let extended = |value: &[u8]| {
            [&text.as_bytes()[..text.len() - 1], comma.as_bytes(), b"\"unknown\":\"", value, b"\"}"].concat()
        };
        let (latin, raw_nul) = (extended(b"\xe9"), extended(b"\0"));
        let whole: [&[u8]; 10] =
            [b"{", b"{\"name\":", b"not json", b"[]", b"\"words\"", b"7", b"null", twice.as_bytes(), &latin, &raw_nul];
        for wrong in whole.into_iter().chain([deep.as_bytes()]) {
            let answer = place.send(route, "application/json", wrong.to_vec()).await;
            let shown: String = String::from_utf8_lossy(wrong).chars().take(40).collect();
            assert_eq!(answer.status, 400, "{} with {shown}: {answer}", name(route));
            answer.detail();
        }
        if is_required {
            place.send(route, "application/json", "").await.refusal(400);
        }
    }
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_body_of_another_kind_is_415_and_one_of_three_megabytes_413() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    for (route, body) in place.with_bodies() {
        for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "", "application/jsonp"] {
            place.send(route, kind, body.to_string()).await.refusal(415);
        }
        let untyped = place.owner.request(route.method.as_str(), &target(route, place.ids));
        untyped.header("content-length", "2").send().await.refusal(415);
        let large = with(&body, "name", json!("x".repeat(3 << 20)));
        place.send_json(route, &large).await.refusal(413);
    }
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_path_with_what_is_no_id_is_refused() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    let long = "9".repeat(5_000);
    for route in ROUTES.iter().filter(|route| route.path.contains('{')) {
        for parameter in parameters(route.path) {
            for wrong in ["abc", "-1", "0", "1.5", "99999999999999999999", "1%00", "%00", "%ff", "1%2f2", &long] {
                let path = route.path.replace(&format!("{{{parameter}}}"), wrong);
                let target = filled(&path, place.ids);
                let call = place.owner.request(route.method.as_str(), &target);
                let answer = match route.example().body {
                    Some(body) => call.json(&body).send().await,
                    None => call.send().await,
                };
                let shown: String = target.chars().take(80).collect();
                assert!(matches!(answer.status, 400 | 404), "{} {shown}: {answer}", name(route));
                answer.detail();
            }
        }
    }
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn a_query_with_what_is_no_number_is_refused_by_name() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    let mut tried = 0;
    for route in ROUTES {
        for parameter in place.document.numbers_in_query(route) {
            for wrong in ["abc", "1.5", "99999999999999999999", "1%00", "%00", "%ff", "", "1%202", "null"] {
                let path = filled(route.path, place.ids);
                let app = if parameter == "app_id" { String::new() } else { format!("app_id={}", place.ids.app) };
                // What the access rule reads is right but for what is tried.
                let thing = match route.access().reach {
                    Reach::AppOfQueried(name) if name != parameter => format!("{name}={}", place.ids.repository),
                    _ => String::new(),
                };
                let target = join(&join(&join(&path, &app), &thing), &format!("{parameter}={wrong}"));
                let answer = place.owner.request(route.method.as_str(), &target).send().await;
                let detail = answer.refusal(400);
                let names_it = detail.starts_with(parameter) || detail.contains("NUL");
                assert!(names_it, "{} with {parameter}={wrong}: {detail}", name(route));
                tried += 1;
            }
        }
    }
    assert!(tried > 50);
    assert!(place.api.database().snapshot().await == before);
}

#[tokio::test]
async fn pages_that_cannot_be_are_refused_and_pages_behind_the_end_are_empty() {
    let place = Place::open().await;
    let app = place.ids.app;
    for list in [
        "/internal/apps?".to_owned(),
        format!("/internal/agents?app_id={app}&"),
        format!("/internal/ai_services?app_id={app}&"),
        format!("/internal/embedding_services?app_id={app}&"),
        format!("/internal/silos?app_id={app}&"),
        format!("/internal/repositories?app_id={app}&"),
        format!("/internal/folders?repository_id={}&", place.ids.repository),
        "/internal/conversations?".to_owned(),
    ] {
        for (query, field) in [
            ("page=0", "page"),
            ("page=-1", "page"),
            ("page=4294967296", "page"),
            ("page=1&page=2", "page: given more than once"),
            ("per_page=0", "per_page"),
            ("per_page=-1", "per_page"),
            ("per_page=101", "per_page"),
        ] {
            let detail = place.owner.get(&format!("{list}{query}")).send().await.refusal(400);
            assert!(detail.starts_with(field), "{list}{query}: {detail}");
        }
        let last = place.owner.get(&format!("{list}page=4294967295&per_page=100")).send().await.expect(200);
        let items = last.as_array().or(last["items"].as_array()).unwrap();
        assert!(items.is_empty());
    }
    for limit in ["0", "-1", "1001", "4294967296"] {
        let history = format!("/internal/conversations/{}?limit={limit}", place.ids.conversation);
        assert!(place.owner.get(&history).send().await.refusal(400).starts_with("limit"));
    }
    for event in ["-1", "abc", "99999999999999999999", ""] {
        let turn = format!("/internal/agents/{}/turns/{}/events", place.ids.agent, place.ids.turn);
        let answer = place.owner.get(&turn).header("last-event-id", event).send().await;
        assert!(answer.refusal(400).starts_with("Last-Event-ID"));
    }
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_refused() {
    let place = Place::open().await;
    let before = place.api.database().snapshot().await;
    let chat = format!("/internal/agents/{}/chat", place.ids.agent);
    let post = || place.owner.post(&chat);
    let refused = |answer: Answer, field: &str| {
        let detail = answer.refusal(400);
        assert!(detail.starts_with(field), "{detail}");
    };
    refused(post().form(&[("text", "Hello")], &[]).send().await, "message: required");
    refused(post().form(&[("message", " ")], &[]).send().await, "message");
    refused(post().form(&[("message", "a\0b")], &[]).send().await, "the request must not contain NUL");
    refused(post().form(&[("message", "a"), ("message", "b")], &[]).send().await, "message: given more than once");
    refused(post().form(&[("message", "a"), ("conversation_id", "x")], &[]).send().await, "conversation_id");
    refused(post().form(&[("message", "a"), ("new_conversation", "7")], &[]).send().await, "new_conversation");
    refused(post().form(&[("message", "a")], &[("secrets", "a.txt", b"a")]).send().await, "secrets");
    refused(post().body("multipart/form-data", "message=a").send().await, "the form cannot be read");
    let unfinished = "--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nHello";
    refused(post().body("multipart/form-data; boundary=x", unfinished).send().await, "the form cannot be read");
    let latin = b"--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n\xe9\r\n--x--\r\n";
    refused(post().body("multipart/form-data; boundary=x", latin.to_vec()).send().await, "message: must be UTF-8");
    let many: Vec<(&str, &str, &[u8])> = vec![("files", "a.txt", b"a"); 40];
    post().form(&[("message", "a")], &many).send().await.refusal(413);
    let large = vec![b'x'; 11 << 20];
    post().form(&[("message", "a")], &[("files", "a.txt", &large)]).send().await.refusal(413);
    assert!(place.api.database().snapshot().await == before);
}

/// A form with as much in it as a form may have, but for its end.
fn unfinished_form(place: &Place) -> Vec<u8> {
    let mut form = format!(
        "POST /internal/agents/{}/chat HTTP/1.1\r\nHost: localhost\r\nCookie: {}\r\nContent-Length: 26000000\r\n\
         Content-Type: multipart/form-data; boundary=x\r\n\r\n",
        place.ids.agent,
        place.owner.cookie().unwrap()
    )
    .into_bytes();
    for _ in 0..2 {
        form.extend_from_slice(b"--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a\"\r\n\r\n");
        form.resize(form.len() + 10_000_000, b'a');
        form.extend_from_slice(b"\r\n");
    }
    form
}

#[tokio::test]
async fn forms_that_are_sent_at_once_hold_only_so_much_memory() {
    let place = Place::open().await;
    let form: &'static [u8] = unfinished_form(&place).leak();
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut connection = TcpStream::connect(place.api.address()).await.unwrap();
        sending.spawn(async move {
            // A server that refuses does not read on; what it says is the answer.
            let _ = connection.write_all(form).await;
            let mut answer = [0; 4096];
            let length = connection.read(&mut answer).await.unwrap_or_default();
            String::from_utf8_lossy(&answer[..length]).into_owned()
        });
    }
    let refused = tokio::time::timeout(PATIENCE, sending.join_next()).await.expect("one is too much").unwrap().unwrap();
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("retry-after: 5"), "{refused}");
    sending.shutdown().await;
    let chat = format!("/internal/agents/{}/chat", place.ids.agent);
    eventually("there is room again", async || {
        let file = vec![b'a'; 9_000_000];
        let answer = place.owner.post(&chat).form(&[("message", "a")], &[("files", "a.txt", &file)]).send().await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_message_may_be_any_word_and_come_as_any_kind_of_json() {
    let place = Place::open().await;
    let chat = format!("/internal/agents/{}/chat", place.ids.agent);
    let post = || place.owner.post(&chat).header("accept", "text/event-stream;q=0.1, application/json");
    let form = [("message", "null"), ("conversation_id", "null"), ("new_conversation", "true")];
    let told = post().form(&form, &[]).send().await.expect(200);
    let history = place.owner.history(&told["conversation_id"]).await;
    assert_eq!(history[0]["content"], json!("null"));
    for content_type in ["Application/JSON", "application/vnd.omni+json", "application/json; charset=\"UTF-8\""] {
        post().body(content_type, r#"{"message":"Hello"}"#).send().await.expect(200);
    }
    let form = "--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nHello\r\n--x--\r\n";
    post().body("Multipart/Form-Data; boundary=x", form).send().await.expect(200);
}

#[tokio::test]
async fn a_body_that_would_have_to_be_unpacked_or_converted_is_refused() {
    let place = Place::open().await;
    let chat = format!("/internal/agents/{}/chat", place.ids.agent);
    let post = |path: &str| place.owner.post(path);
    for path in [&*chat, "/internal/apps"] {
        let body = r#"{"message":"Hello","name":"Our other app"}"#;
        let packed = post(path).header("content-encoding", "gzip").body("application/json", body).send().await;
        assert!(packed.refusal(415).contains("Content-Encoding"));
        let latin = post(path).body("application/json; charset=iso-8859-1", body).send().await;
        assert!(latin.refusal(415).contains("UTF-8"));
    }
    let packed = post(&chat).header("content-encoding", "gzip").form(&[("message", "a")], &[]).send().await;
    assert!(packed.refusal(415).contains("Content-Encoding"));
    post("/internal/apps")
        .header("content-encoding", "identity")
        .json(&json!({ "name": "A" }))
        .send()
        .await
        .expect(201);
}

#[tokio::test]
async fn an_id_has_one_spelling() {
    let place = Place::open().await;
    let app = place.ids.app;
    place.owner.get(&format!("/internal/apps/{app}")).send().await.expect(200);
    place.owner.get(&format!("/internal/apps/+{app}")).send().await.refusal(400);
    place.owner.get(&format!("/internal/agents/+{}", place.ids.agent)).send().await.refusal(400);
    place.owner.get(&format!("/internal/agents?app_id=%2B{app}")).send().await.refusal(400);
}

#[tokio::test]
async fn names_in_all_scripts_are_kept_as_they_are() {
    let place = Place::open().await;
    for name in
        ["Ünïcødé", "客户支持", "👩‍🚀 support", "O'Brien; DROP TABLE apps; --", "<script>alert(1)</script>", "%00"]
    {
        let id = place.owner.create_app(name).await;
        let app = place.owner.get(&format!("/internal/apps/{id}")).send().await.expect(200);
        assert_eq!(app["name"], json!(name));
        let slug = app["slug"].as_str().unwrap();
        assert!(slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && !slug.is_empty(), "{slug}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_request_are_refused_and_the_server_goes_on() {
    let place = Place::open().await;
    let address = place.api.address();
    let cookie = place.owner.cookie().unwrap();
    for request in [
        b"GET /internal/apps\0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET /internal/\xff HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
        b"nonsense\r\n\r\n".to_vec(),
        format!(
            "POST /internal/apps HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\
            Content-Type: application/json\r\nContent-Length: -1\r\n\r\n{{}}"
        )
        .into_bytes(),
    ] {
        let answer = raw(address, &request).await;
        assert!((400..500).contains(&answer.status), "{answer}");
    }
    let body = br#"{"name":"a?b"}"#.map(|byte| if byte == b'?' { 0 } else { byte });
    let mut request = format!(
        "POST /internal/apps HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    raw(address, &request).await.refusal(400);
    place.owner.get("/internal/apps").send().await.expect(200);
}
