use omni_domain::ErrorKind;
use omni_models::{
    ChatMessage, ChatRequest, Deadlines, FinishReason, Image, ImageProblem, ModelTarget, Models, Provider, transcribe,
};
use omni_scripted_model::{Finish, Script};

use crate::setting::{REMOTE, Setting, answer, egress, shape};

fn png() -> Image {
    Image::new(b"\x89PNG\r\n\x1a\n picture".as_slice()).unwrap()
}

fn jpeg() -> Image {
    Image::new(b"\xff\xd8\xff photo".as_slice()).unwrap()
}

#[tokio::test]
async fn every_provider_is_shown_images_in_its_format() {
    for provider in REMOTE {
        let setting = Setting::new().await;
        let request = ChatRequest::new(vec![
            ChatMessage::user("What are these?").with_images(vec![png(), jpeg()]),
            ChatMessage::assistant("Two images."),
            ChatMessage::user("").with_images(vec![png()]),
            ChatMessage::user("And this?"),
        ]);
        let answered = answer(setting.model(provider, "tokens-2").stream(request).await).await;
        assert_eq!(answered.finish, Some(FinishReason::Stop), "{provider}: {answered:?}");
        let request = setting.server.requests().pop().unwrap();
        insta::assert_json_snapshot!(format!("{provider}"), shape(&request)["body"]);
    }
}

#[tokio::test]
async fn a_message_that_only_shows_something_is_a_question() {
    let setting = Setting::new().await;
    let request = ChatRequest::new(vec![ChatMessage::user(" ").with_images(vec![png()])]);
    assert_eq!(answer(setting.model(Provider::OpenAi, "tokens-1").stream(request).await).await.text, "t0 ");
}

#[tokio::test]
async fn images_that_no_provider_takes_are_not_sent() {
    let setting = Setting::new().await;
    let model = setting.model(Provider::OpenAi, "tokens-1");
    let many = ChatMessage::user("?").with_images(vec![png(); Image::MOST + 1]);
    let error = model.stream(ChatRequest::new(vec![many])).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), ("image_refused", ErrorKind::TooLarge));
    assert!(error.to_string().contains("at most 16 images"), "{error}");
    let of_model = ChatMessage::assistant("here").with_images(vec![png()]);
    let request = ChatRequest::new(vec![of_model, ChatMessage::user("?")]);
    assert_eq!(model.stream(request).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(setting.server.requests().len(), 0);
}

#[tokio::test]
async fn the_built_in_model_says_that_it_cannot_see() {
    let models = Models::new(egress(""), Deadlines::default());
    let model = models.chat(ModelTarget::new(Provider::Local, "")).unwrap();
    let request = ChatRequest::new(vec![ChatMessage::user("What is this?").with_images(vec![png()])]);
    let answered = answer(model.stream(request).await).await;
    assert!(answered.text.starts_with("I cannot see images"), "{}", answered.text);
    assert!(answered.usage.unwrap().input_tokens > 1_000);
    let error = transcribe(&*model, png()).await.unwrap_err();
    assert!(matches!(error, omni_models::ModelError::Image(ImageProblem::NotSeen)), "{error}");
}

#[tokio::test]
async fn a_transcript_is_what_the_model_read() {
    let setting = Setting::new().await;
    let read = async |model| transcribe(&*setting.model(Provider::Anthropic, model), png()).await.unwrap();
    let transcript = read("says: Invoice 17\nTotal 5 € ").await;
    assert_eq!((transcript.text.as_str(), transcript.complete), ("Invoice 17\nTotal 5 €", true));
    assert!(transcript.usage.is_some());
    assert_eq!(read("says:NO_TEXT").await.text, "");
    assert_eq!(read("says:NO_TEXT is written here").await.text, "NO_TEXT is written here");
    setting.server.script("long", Script { finish: Finish::Length, ..Script::says("the beginning") });
    let cut = read("long").await;
    assert_eq!((cut.text.as_str(), cut.complete), ("the beginning", false));
    let broken = transcribe(&*setting.model(Provider::OpenAi, "cut-after-3"), png()).await.unwrap_err();
    assert_eq!(broken.code(), "answer_cut_off");
}
