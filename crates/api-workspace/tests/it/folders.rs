//! Folders: a tree in each repository, with no two alike beside each other and none in itself.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::silos::Place;

/// A repository, by its number.
async fn repository(place: &Place, name: &str) -> Value {
    place.create("repositories", json!({ "name": name })).await["repo_id"].clone()
}

/// A folder, by its number.
async fn folder(place: &Place, repository: &Value, parent: Option<&Value>, name: &str) -> Value {
    let body = json!({ "name": name, "repository_id": repository, "parent_folder_id": parent });
    place.create("folders", body).await["folder_id"].clone()
}

#[tokio::test]
async fn folders_are_listed_by_repository() {
    let place = Place::open().await;
    let (ours, other) = (repository(&place, "Ours").await, repository(&place, "Other").await);
    let top = folder(&place, &ours, None, "Top").await;
    let inner = folder(&place, &ours, Some(&top), "Inner").await;
    folder(&place, &other, None, "Top").await;
    let silo = place.get("repositories", &ours).await["silo_id"].clone();
    place.fill(&silo, Some((&ours, Some(&top)))).await;
    let answer = place.owner.get(&format!("/internal/folders?repository_id={ours}")).send().await;
    assert_eq!(answer.header("x-total-count"), Some("2"));
    let list = answer.expect(200);
    let shown: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["folder_id"].clone(), one["subfolder_count"].clone(), one["document_count"].clone()))
        .collect();
    assert_eq!(shown, [(top.clone(), json!(1), json!(1)), (inner.clone(), json!(0), json!(0))]);
    assert_eq!((&list[1]["parent_folder_id"], &list[1]["repository_id"]), (&top, &ours));
    assert_eq!(place.get("folders", &inner).await, list[1]);
    assert_eq!(place.get("repositories", &ours).await["folder_count"], json!(2));
    let second = format!("/internal/folders?repository_id={ours}&app_id={}&page=2&per_page=1", place.app);
    assert_eq!(place.owner.get(&second).send().await.expect(200), json!([list[1]]));
    let unnamed = place.owner.get(&format!("/internal/folders?app_id={}", place.app)).send().await;
    assert_eq!(unnamed.refusal(400), "repository_id: required in the query string");
}

#[tokio::test]
async fn a_name_is_one_step_of_a_path_and_no_siblings_share_it() {
    let place = Place::open().await;
    let repository = repository(&place, "Ours").await;
    let top = folder(&place, &repository, None, "Top").await;
    let before = place.api.database().snapshot().await;
    for wrong in ["", "a/b", "a\\b", "..", "a\nb"] {
        let body = json!({ "name": wrong, "repository_id": repository });
        assert!(place.try_create("folders", &body).await.refusal(400).starts_with("name: "), "{wrong}");
        assert!(place.try_update("folders", &top, &json!({ "name": wrong })).await.refusal(400).starts_with("name: "));
    }
    let same = json!({ "name": "Top", "repository_id": repository });
    let twice = place.try_create("folders", &same).await.refusal(409);
    assert_eq!(twice, "name: another folder beside it has this name");
    assert!(place.api.database().snapshot().await == before);
    // Somewhere else the name is free, until the folder is moved beside the other.
    let inner = folder(&place, &repository, Some(&top), "Top").await;
    place.try_update("folders", &inner, &json!({ "parent_folder_id": null })).await.refusal(409);
    let moved = place.update("folders", &inner, json!({ "parent_folder_id": null, "name": "Second" })).await;
    assert_eq!((&moved["parent_folder_id"], &moved["name"]), (&json!(null), &json!("Second")));
    place.try_update("folders", &inner, &json!({ "name": "Top" })).await.refusal(409);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_of_one_name_at_once_there_is_one() {
    let place = Place::open().await;
    let repository = repository(&place, "Ours").await;
    let body = json!({ "name": "Same", "repository_id": repository });
    let statuses = join_all((0..12).map(async |_| place.try_create("folders", &body).await.status)).await;
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(409)), (1, 11), "{statuses:?}");
}

#[tokio::test]
async fn a_folder_is_in_one_of_its_own_repository_and_never_in_itself() {
    let place = Place::open().await;
    let (ours, other) = (repository(&place, "Ours").await, repository(&place, "Other").await);
    let top = folder(&place, &ours, None, "Top").await;
    let inner = folder(&place, &ours, Some(&top), "Inner").await;
    let innermost = folder(&place, &ours, Some(&inner), "Innermost").await;
    let elsewhere = folder(&place, &other, None, "Elsewhere").await;
    let before = place.api.database().snapshot().await;
    let foreign = "parent_folder_id: is a folder of another repository";
    let body = json!({ "name": "New", "repository_id": ours, "parent_folder_id": elsewhere });
    assert_eq!(place.try_create("folders", &body).await.refusal(400), foreign);
    let moved = place.try_update("folders", &top, &json!({ "parent_folder_id": elsewhere })).await;
    assert_eq!(moved.refusal(400), foreign);
    for inside in [&top, &inner, &innermost] {
        let detail = place.try_update("folders", &top, &json!({ "parent_folder_id": inside })).await.refusal(400);
        assert!(detail.contains("a folder cannot be in itself"), "{detail}");
    }
    assert!(place.api.database().snapshot().await == before);
    place.update("folders", &innermost, json!({ "parent_folder_id": top })).await;
    assert_eq!(place.get("folders", &innermost).await["parent_folder_id"], top);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_are_moved_into_each_other_at_once_make_no_ring() {
    let place = Place::open().await;
    let repository = repository(&place, "Ours").await;
    for round in 0..10 {
        let one = folder(&place, &repository, None, &format!("One {round}")).await;
        let other = folder(&place, &repository, None, &format!("Other {round}")).await;
        let (into_other, into_one) = (json!({ "parent_folder_id": other }), json!({ "parent_folder_id": one }));
        let (first, second) = tokio::join!(
            place.try_update("folders", &one, &into_other),
            place.try_update("folders", &other, &into_one)
        );
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400], "{first}\n{second}");
    }
}

#[tokio::test]
async fn folders_can_be_in_each_other_only_so_deep() {
    let place = Place::open().await;
    let repository = repository(&place, "Ours").await;
    let mut chain = vec![folder(&place, &repository, None, "1").await];
    for depth in 2..=32 {
        let next = folder(&place, &repository, chain.last(), &depth.to_string()).await;
        chain.push(next);
    }
    let deepest = chain.last().unwrap();
    let body = json!({ "name": "33", "repository_id": repository, "parent_folder_id": deepest });
    let detail = place.try_create("folders", &body).await.refusal(400);
    assert_eq!(detail, "parent_folder_id: at most 32 folders can be in each other");
    // What is in a folder counts where it is moved.
    let pair = folder(&place, &repository, None, "Pair").await;
    folder(&place, &repository, Some(&pair), "Inner").await;
    let into = json!({ "parent_folder_id": chain[30] });
    place.try_update("folders", &pair, &into).await.refusal(400);
    place.update("folders", &pair, json!({ "parent_folder_id": chain[29] })).await;
}

#[tokio::test]
async fn a_folder_goes_with_everything_in_it() {
    let place = Place::open().await;
    let made = place.create("repositories", json!({ "name": "Ours" })).await;
    let (repository, silo) = (&made["repo_id"], &made["silo_id"]);
    let top = folder(&place, repository, None, "Top").await;
    let inner = folder(&place, repository, Some(&top), "Inner").await;
    let beside = folder(&place, repository, None, "Beside").await;
    for within in [Some(&top), Some(&inner), Some(&beside), None] {
        place.fill(silo, Some((repository, within))).await;
    }
    place.try_delete("folders", &top).await.expect(200);
    for (table, left) in [("folders", 1), ("documents", 2), ("chunks", 4), ("chunk_words", 4), ("chunk_vectors", 4)] {
        assert_eq!(place.rows(table).await, left, "{table}");
    }
    place.try_delete("folders", &inner).await.refusal(404);
    assert_eq!(place.get("silos", silo).await["document_count"], json!(2));
}
