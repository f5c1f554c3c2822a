use omni_models::{Deadlines, ModelError, Models, Ranked, parse_base_url};
use omni_scripted_model::{Refusal, Script};

use crate::setting::{KEY, SOON, Setting, egress, shape};

const PASSAGES: [&str; 4] = ["blue sky", "a red apple", "red sky at night", "green"];

async fn rank(setting: &Setting, model: &str, top: usize) -> Result<Vec<Ranked>, ModelError> {
    let model = setting.models.rerank(setting.rerank_target(model)).unwrap();
    model.rerank("red apple".into(), PASSAGES.map(str::to_owned).to_vec(), top).await
}

fn order(ranked: &[Ranked]) -> Vec<usize> {
    ranked.iter().map(|one| one.index).collect()
}

#[tokio::test]
async fn the_best_passages_come_first() {
    let setting = Setting::new().await;
    let ranked = rank(&setting, "ranks", 3).await.unwrap();
    assert_eq!(order(&ranked), [1, 2, 0]);
    assert!((ranked[0].score - 0.2).abs() < 1e-6, "{ranked:?}");
    insta::assert_json_snapshot!("rerank", shape(&setting.server.requests().pop().unwrap()));
    assert_eq!(rank(&setting, "ranks-reversed", 3).await.unwrap(), ranked);
    assert_eq!(order(&rank(&setting, "ranks", 99).await.unwrap()), [1, 2, 0, 3]);
}

#[tokio::test]
async fn results_by_voyages_name_are_read_too() {
    let setting = Setting::new().await;
    let mut target = setting.rerank_target("ranks");
    target.base_url = parse_base_url(&format!("{}voyage/v1/", setting.server.base_url())).unwrap();
    target.api_key = None;
    let model = setting.models.rerank(target).unwrap();
    let ranked = model.rerank("red apple".into(), PASSAGES.map(str::to_owned).to_vec(), 2).await.unwrap();
    assert_eq!(order(&ranked), [1, 2]);
    assert_eq!(setting.server.requests().pop().unwrap().header("authorization"), None);
}

#[tokio::test]
async fn what_is_no_ranking_is_refused() {
    let setting = Setting::new().await;
    for (flaw, what) in [
        ("short", "fewer passages"),
        ("twice", "twice"),
        ("nan", "not in this provider's format"),
        ("page", "a web page"),
        ("nothing", "not in this provider's format"),
    ] {
        let error = rank(&setting, &format!("ranks-{flaw}"), 3).await.unwrap_err();
        assert!(error.code() == "answer_malformed" && error.to_string().contains(what), "{flaw}: {error}");
    }
    assert_eq!(rank(&setting, "ranks-flood", 3).await.unwrap_err().code(), "answer_too_large");
    setting.server.until(SOON, |tally| tally.cancelled == 1).await.unwrap();
}

#[tokio::test]
async fn refusals_are_told_and_passing_ones_asked_again() {
    let setting = Setting::new().await;
    for (model, code) in
        [("error-401", "credentials_refused"), ("error-400", "provider_bad_request"), ("rank-9000", "unknown_model")]
    {
        let error = rank(&setting, model, 3).await.unwrap_err();
        assert_eq!(error.code(), code);
        assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
    }
    let refusal = Refusal { status: 429, retry_after: Some(0), message: "later".into() };
    let limited = Script { refusal: Some(refusal), ..Script::vectors(8) };
    setting.server.script_in_turn("flaky", [limited, Script::error(503), Script::vectors(8)]);
    assert_eq!(order(&rank(&setting, "flaky", 1).await.unwrap()), [1]);
}

#[tokio::test]
async fn what_cannot_be_ranked_is_not_sent() {
    let setting = Setting::new().await;
    let model = setting.models.rerank(setting.rerank_target("ranks")).unwrap();
    let a = || "a".to_owned();
    for (query, passages, top, code) in [
        (" ".to_owned(), vec![a()], 1, "nothing_to_rank"),
        (a(), vec![], 1, "nothing_to_rank"),
        (a(), vec![a(), "\n".into()], 1, "nothing_to_rank"),
        (a(), vec![a()], 0, "nothing_to_rank"),
        (a(), vec![a(); 1_001], 1, "too_much_at_once"),
        (a(), vec!["a".repeat(4 * 1024 * 1024)], 1, "too_much_at_once"),
    ] {
        assert_eq!(model.rerank(query, passages, top).await.unwrap_err().code(), code);
    }
    assert_eq!(setting.server.requests().len(), 0);
}

#[tokio::test]
async fn a_target_that_cannot_work_says_what_to_change() {
    let setting = Setting::new().await;
    let mut target = setting.rerank_target(" ");
    assert_eq!(setting.models.check_rerank(&target).unwrap_err().field(), Some("model"));
    target.model = "ranks".into();
    setting.models.check_rerank(&target).unwrap();
    target.api_key = Some("one\ntwo".into());
    assert_eq!(setting.models.check_rerank(&target).unwrap_err().field(), Some("api_key"));
    let strict = Models::new(egress(""), Deadlines::default());
    assert_eq!(strict.check_rerank(&setting.rerank_target("ranks")).unwrap_err().code(), "address_refused");
}
