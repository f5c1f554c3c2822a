//! The routes that ask nobody who they are, and the document against the table.

use std::collections::{BTreeMap, BTreeSet};

use omni_api_workspace::ROUTES;
use omni_http::Reach;
use omni_testkit::TestApi;
use serde_json::{Value, json};

/// Method, path, and why nobody has to sign in for it.
const OPEN: &str = include_str!("open-routes.csv");
/// How many of those there are. It may only go down.
const MOST_OPEN: usize = 8;

#[test]
fn only_what_is_listed_asks_nobody_who_they_are() {
    let open: BTreeSet<_> = ROUTES
        .iter()
        .filter(|route| route.access().lowest.is_none() || route.access().reach == Reach::Nowhere)
        .map(|route| (route.method.as_str(), route.path))
        .collect();
    let listed: Vec<Vec<&str>> = OPEN.lines().skip(1).map(|line| line.splitn(3, ',').collect()).collect();
    assert!(listed.iter().all(|line| line.len() == 3 && !line[2].trim().is_empty()), "each line gives its reason");
    let listed: BTreeSet<_> = listed.iter().map(|line| (line[0], line[1])).collect();
    assert_eq!(open, listed);
    assert!(listed.len() <= MOST_OPEN, "open-routes.csv may only get shorter");
}

#[tokio::test]
async fn the_document_describes_the_table_and_nothing_else() {
    let api = TestApi::start().await;
    let document = api.anonymous().get("/docs/internal/openapi.json").send().await.expect(200);
    let described: BTreeMap<(String, String), &Value> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, operations)| {
            let operations = operations.as_object().unwrap().iter();
            operations.map(move |(method, operation)| ((method.to_uppercase(), path.clone()), operation))
        })
        .collect();
    let served: BTreeSet<_> =
        ROUTES.iter().map(|route| (route.method.as_str().to_owned(), route.path.to_owned())).collect();
    assert_eq!(described.keys().cloned().collect::<BTreeSet<_>>(), served);
    assert_eq!(served.len(), ROUTES.len(), "no line is there twice");
    for route in ROUTES {
        let operation = described[&(route.method.as_str().to_owned(), route.path.to_owned())];
        let wanted = if route.access().lowest.is_some() { json!([{ "session": [] }]) } else { json!([]) };
        assert_eq!(operation["security"], wanted, "{} {}", route.method.as_str(), route.path);
        if let Some(lowest) = route.access().lowest.filter(|_| route.access().reach != Reach::Invitation) {
            let text = operation["description"].as_str().unwrap();
            assert!(text.contains(&format!("role {lowest}")), "{} {}: {text}", route.method.as_str(), route.path);
        }
    }
}
