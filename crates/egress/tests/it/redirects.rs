//! Redirects: who is asked next, with what.

use http::{HeaderName, HeaderValue, Method, header};
use omni_egress::{Allow, Egress, EgressError, EgressPolicy, Redirects, Request};

use crate::server::{Server, ok, redirect};

fn egress(servers: &[&Server]) -> Egress {
    let list: Vec<String> = servers.iter().map(|server| server.address.to_string()).collect();
    Egress::new(EgressPolicy { allow: Allow::parse(&list.join(",")).unwrap(), ..EgressPolicy::default() }).unwrap()
}

fn path(request: &str) -> &str {
    request.split(' ').nth(1).unwrap()
}

#[tokio::test]
async fn the_method_and_the_body_follow_the_fetch_standard() {
    let server = Server::start(|request| match path(request) {
        "/end" => ok(b""),
        from => redirect(from.trim_start_matches('/').parse().unwrap(), "/end"),
    })
    .await;
    let egress = egress(&[&server]);
    for (status, method, then, keeps_body) in [
        (301, Method::POST, "GET", false),
        (302, Method::POST, "GET", false),
        (303, Method::POST, "GET", false),
        (303, Method::PUT, "GET", false),
        (303, Method::HEAD, "HEAD", false),
        (307, Method::POST, "POST", true),
        (308, Method::POST, "POST", true),
        (301, Method::PUT, "PUT", true),
        (302, Method::PATCH, "PATCH", true),
        (301, Method::GET, "GET", false),
        (308, Method::DELETE, "DELETE", false),
    ] {
        let mut request = Request::new(method.clone(), server.url(&format!("/{status}")).parse().unwrap());
        if matches!(method, Method::POST | Method::PUT | Method::PATCH) {
            request = request.json(&serde_json::json!({"order": 7})).unwrap();
        }
        let answer = egress.send(request).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.url().path()), (200, "/end"));
        let last = server.requests().pop().unwrap().to_ascii_lowercase();
        assert!(last.starts_with(&format!("{} /end ", then.to_ascii_lowercase())), "{status} {method}: {last}");
        assert_eq!(last.contains("{\"order\":7}"), keeps_body, "{status} {method}: {last}");
        assert_eq!(last.contains("content-type: application/json"), keeps_body, "{status} {method}: {last}");
    }
}

fn with_secrets(url: &str) -> Request {
    let mut marked = HeaderValue::from_static("marked-secret");
    marked.set_sensitive(true);
    Request::get(url.parse().unwrap())
        .bearer(&"bearer-secret".into())
        .unwrap()
        .secret_header(HeaderName::from_static("x-hub-token"), &"hub-secret".into())
        .unwrap()
        .header(header::COOKIE, HeaderValue::from_static("sid=cookie-secret"))
        .header(HeaderName::from_static("x-api-key"), HeaderValue::from_static("key-secret"))
        .header(HeaderName::from_static("x-of-my-own"), marked)
        .header(header::ACCEPT, HeaderValue::from_static("text/plain"))
}

const SECRETS: [&str; 5] = ["bearer-secret", "hub-secret", "cookie-secret", "key-secret", "marked-secret"];

#[tokio::test]
async fn secrets_stay_with_their_origin() {
    let other = Server::start(|_| ok(b"")).await;
    let there = other.url("/there");
    let server = Server::start(move |request| match path(request) {
        "/away" => redirect(307, &there),
        "/around" => redirect(302, "/end"),
        _ => ok(b""),
    })
    .await;
    let egress = egress(&[&server, &other]);

    egress.send(with_secrets(&server.url("/around"))).await.unwrap();
    let [first, second] = <[String; 2]>::try_from(server.requests()).unwrap();
    for secret in SECRETS {
        assert!(first.contains(secret) && second.contains(secret), "{secret} is for this origin");
    }

    let answer = egress.send(with_secrets(&server.url("/away"))).await.unwrap();
    assert_eq!(answer.url().as_str(), other.url("/there"));
    let [received] = <[String; 1]>::try_from(other.requests()).unwrap();
    assert!(received.to_ascii_lowercase().contains("accept: text/plain"), "{received}");
    for secret in SECRETS {
        assert!(!received.contains(secret), "{received}");
    }
    assert!(!received.to_ascii_lowercase().contains("referer"), "{received}");
}

#[tokio::test]
async fn secrets_do_not_come_back_after_a_detour() {
    let back: std::sync::Arc<std::sync::OnceLock<String>> = std::sync::Arc::default();
    let target = std::sync::Arc::clone(&back);
    let other = Server::start(move |_| redirect(302, target.get().unwrap())).await;
    let there = other.url("/");
    let server = Server::start(move |request| if path(request) == "/" { redirect(302, &there) } else { ok(b"") }).await;
    back.set(server.url("/home")).unwrap();
    egress(&[&server, &other]).send(with_secrets(&server.url("/"))).await.unwrap();
    let last = server.requests().pop().unwrap();
    assert!(path(&last) == "/home" && SECRETS.iter().all(|secret| !last.contains(secret)), "{last}");
}

#[tokio::test]
async fn the_number_of_redirects_is_limited() {
    let server = Server::start(|_| redirect(302, "/again")).await;
    let egress = egress(&[&server]);
    let request = || Request::get(server.url("/").parse().unwrap());
    let error = egress.send(request()).await.unwrap_err();
    assert!(matches!(error, EgressError::TooManyRedirects { limit: 5 }), "{error:?}");
    assert_eq!(server.requests().len(), 6);
    let error = egress.send(request().redirects(Redirects::Follow(0))).await.unwrap_err();
    assert!(matches!(error, EgressError::TooManyRedirects { limit: 0 }), "{error:?}");
    assert_eq!(server.requests().len(), 7);
    let answer = egress.send(request().redirects(Redirects::Return)).await.unwrap();
    assert_eq!(answer.status(), 302);
    assert_eq!(answer.headers()[header::LOCATION], "/again");
    assert_eq!(server.requests().len(), 8);
}

#[tokio::test]
async fn a_lent_client_follows_no_redirect() {
    let server = Server::start(|_| redirect(302, "/again")).await;
    let url = server.url("/").parse().unwrap();
    let client = egress(&[&server]).client_for(&url).unwrap();
    assert_eq!(client.get(url).send().await.unwrap().status(), 302);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_is_no_redirect_is_an_answer() {
    let server = Server::start(|request| match path(request) {
        "/nowhere" => redirect(302, "http://"),
        "/choices" => redirect(300, "/end"),
        _ => crate::server::Answer::Bytes(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_vec()),
    })
    .await;
    let egress = egress(&[&server]);
    let send = |path: &str| egress.send(Request::get(server.url(path).parse().unwrap()));
    assert!(matches!(send("/nowhere").await.unwrap_err(), EgressError::RedirectInvalid));
    assert_eq!(send("/choices").await.unwrap().status(), 300);
    assert_eq!(send("/without-location").await.unwrap().status(), 302);
}

#[tokio::test]
async fn headers_of_the_connection_are_not_the_callers() {
    let server = Server::start(|_| ok(b"")).await;
    let request = Request::post(server.url("/").parse().unwrap())
        .header(header::HOST, HeaderValue::from_static("internal.example"))
        .header(header::CONTENT_LENGTH, HeaderValue::from_static("3"))
        .header(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"))
        .body("hello");
    egress(&[&server]).send(request).await.unwrap();
    let received = server.requests().pop().unwrap().to_ascii_lowercase();
    assert!(received.contains(&format!("host: {}\r\n", server.address)), "{received}");
    assert!(received.contains("content-length: 5\r\n") && received.ends_with("\r\n\r\nhello"), "{received}");
    assert!(!received.contains("internal.example") && !received.contains("chunked"), "{received}");
    assert!(received.contains("user-agent: omni/"), "{received}");
}
