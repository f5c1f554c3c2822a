use futures::StreamExt;
use omni_models::{ChatMessage, ChatRequest, Deadlines, FinishReason, ModelTarget, Models, Provider};

use crate::setting::{answer, egress};

#[tokio::test]
async fn the_built_in_model_needs_nothing_and_says_so() {
    let models = Models::new(egress(""), Deadlines::default());
    let target = ModelTarget::new(Provider::Local, "");
    models.check(&target).unwrap();
    let model = models.chat(target).unwrap();
    let answered = answer(model.stream(ChatRequest::new(vec![ChatMessage::user("hello")])).await).await;
    assert!(answered.text.starts_with("Hello! No AI model is connected"), "{}", answered.text);
    assert!(answered.text.contains("add an AI service"), "{}", answered.text);
    assert_eq!(answered.finish, Some(FinishReason::Stop));
    assert!(answered.usage.is_some_and(|usage| usage.estimated && usage.output_tokens > 0));
    assert_eq!(answered.tokens, answered.text.split_whitespace().count() + 1, "a blank line is between two words");
}

#[tokio::test]
async fn its_answer_is_ready_at_once_and_always_the_same() {
    let models = Models::new(egress(""), Deadlines::default());
    let model = models.chat(ModelTarget::new(Provider::Local, "anything")).unwrap();
    let request = || {
        let said = ["The code is 7.", "What is the code?"];
        ChatRequest::new(said.map(ChatMessage::user).to_vec())
    };
    let all = |stream: omni_models::ChatStream| stream.ready_chunks(10_000).collect::<Vec<_>>();
    let first = all(model.stream(request()).await.unwrap()).await;
    assert_eq!(first.len(), 1);
    let second = all(model.stream(request()).await.unwrap()).await;
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    let answered = answer(model.stream(request()).await).await;
    assert!(answered.text.contains("You said: “The code is 7.”"), "{}", answered.text);
}
