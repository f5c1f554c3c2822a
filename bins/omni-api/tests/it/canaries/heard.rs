use omni_testkit::{Answer, Call, Event};

use crate::canaries::canary::Canary;

/// What clients have heard of failures, and the secrets that they came to know on the way.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    answers: Vec<String>,
    failures: usize,
    canaries: Vec<Canary>,
}

impl Heard {
    /// Has a request sent that may fail; an answer that does not is passed over.
    pub(crate) async fn send(&mut self, call: Call) -> Answer {
        let answer = call.send().await;
        if answer.status >= 400 {
            self.failures += 1;
            self.answers.push(answer.bytes());
        }
        answer
    }

    /// Has a request sent that must fail.
    pub(crate) async fn fail(&mut self, call: Call) -> Answer {
        let answer = self.send(call).await;
        assert!(answer.status >= 400, "{answer}");
        answer
    }

    /// Takes note of an answer, whatever its status.
    pub(crate) fn note(&mut self, answer: &Answer) {
        self.answers.push(answer.bytes());
    }

    /// Takes note of a stream that ended with an error.
    pub(crate) fn note_stream(&mut self, events: &[Event]) {
        assert_eq!(events.last().map(Event::kind), Some("error"), "{events:?}");
        self.failures += 1;
        self.answers.extend(events.iter().map(|event| event.data.to_string()));
    }

    /// Takes note of a secret that only its owner may hear again.
    pub(crate) fn learn(&mut self, name: &'static str, secret: &str) {
        self.canaries.push(Canary::new(name, secret));
    }

    pub(crate) fn canaries(&self) -> &[Canary] {
        &self.canaries
    }

    pub(crate) const fn failures(&self) -> usize {
        self.failures
    }

    /// Sees that no failure told a secret.
    pub(crate) fn assert_without(&self, canary: &Canary) {
        for answer in &self.answers {
            canary.assert_absent("an answer", answer);
        }
    }
}
