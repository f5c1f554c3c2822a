//! Text out of pictures, for whoever asks for it then and there.

use omni_scripted_model::ScriptedModel;
use omni_testkit::TestApi;
use serde_json::json;

use crate::files::{Desk, HANDBOOK};

#[tokio::test]
async fn text_is_read_out_of_a_file_and_a_picture_says_what_to_install() {
    let desk = Desk::deserted().await;
    let extract = format!("/internal/ocr/extract?app_id={}", desk.app);
    let post = |files: &[(&'static str, &str, &[u8])]| desk.owner.post(&extract).form(&[], files).send();
    let read = post(&[("file", "handbook.md", HANDBOOK)]).await.expect(200);
    assert!(read["text"].as_str().unwrap().contains("nine to five"), "{read}");
    assert_eq!((&read["method"], &read["pages"][0]["page"]), (&json!("text"), &json!(1)));
    let png = include_bytes!("../../../documents/tests/data/words.png");
    let missing = post(&[("file", "words.png", png)]).await;
    assert!(missing.refusal(503).contains("tesseract"));
    post(&[("file", "a.txt", b"a"), ("file", "b.txt", b"b")]).await.refusal(400);
    let foreign = desk.owner.post(&extract).form(&[("service_id", "987654321")], &[("file", "words.png", png)]);
    assert!(foreign.send().await.refusal(400).starts_with("service_id"));
    let before = desk.count("SELECT count(*) FROM documents").await;
    assert_eq!(before, 0, "nothing is kept");
}

#[tokio::test]
async fn a_page_that_is_a_picture_is_read_by_a_model_that_sees() {
    const RULES: &[u8] = include_bytes!("../../../documents/tests/data/rules.pdf");
    let provider = ScriptedModel::start().await.unwrap();
    let extract = async |api: TestApi| {
        let owner = api.client("owner@example.com").await;
        let app = owner.create_app("Our app").await;
        let service = owner.create_service(app, &provider, "says:Invoice 4711").await.to_string();
        let call = owner.post(&format!("/internal/ocr/extract?app_id={app}"));
        call.form(&[("service_id", &service)], &[("file", "rules.pdf", RULES)]).send().await.expect(200)
    };
    let blind = extract(TestApi::start().await).await;
    assert_eq!((&blind["method"], &blind["pages"][1]["page"]), (&json!("text"), &json!(3)));
    assert!(blind["note"].as_str().unwrap().contains("poppler-utils"), "{blind}");
    let read = extract(TestApi::builder().reading_pictures().start().await).await;
    if read["note"].is_string() {
        println!("SKIPPED: pdftoppm is not installed, so no page is drawn");
        return;
    }
    assert_eq!((&read["method"], &read["pages"][1]), (&json!("model"), &json!({ "page": 2, "text": "Invoice 4711" })));
    let asked = provider.requests().pop().unwrap().json().to_string();
    assert!(asked.contains("image/png"), "the model is shown a picture: {asked:.300}");
}
