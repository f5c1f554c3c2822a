use std::time::Duration;

/// What the server does with one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// How long the client waits for the response's headers; `None` is for ever.
    pub before_headers: Option<Duration>,
    /// Answer with an error instead of an answer.
    pub refusal: Option<Refusal>,
    /// How long the client waits between the headers and the first token.
    pub before_first: Duration,
    /// How many tokens of reasoning come before the answer.
    pub thoughts: usize,
    /// The answer's tokens.
    pub words: Words,
    /// The time from one token to the next. Tokens that fall due together are written together.
    pub pace: Duration,
    /// Write every frame in pieces, one `pace` apart, that break where it hurts: inside a line and inside a character.
    pub drip: bool,
    /// What comes after the words.
    pub ending: Ending,
    /// The reason that the end marker gives.
    pub finish: Finish,
    /// How many numbers a vector has, unless the request says it.
    pub dimensions: usize,
    /// What is wrong with a document: vectors or a ranking.
    pub flaw: Option<Flaw>,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The last vector or rank is missing.
    Short,
    /// The last vector is longer than the others.
    Mixed,
    /// The last vector holds no numbers but `null`, and so do all scores.
    NotANumber,
    /// The last vector holds numbers that no `f32` can.
    Infinite,
    /// The last vector holds only zeros.
    Zero,
    /// All vectors or ranks have the index of the first.
    Twice,
    /// None really: they come in reverse, each with its index, where the wire has one.
    Reversed,
    /// A web page instead.
    Page,
    /// An empty body instead.
    Nothing,
    /// The connection is closed in the middle.
    Half,
    /// Blanks until the client leaves.
    Flood,
}

impl Flaw {
    fn named(name: &str) -> Option<Self> {
        match name {
            "short" => Some(Self::Short),
            "mixed" => Some(Self::Mixed),
            "nan" => Some(Self::NotANumber),
            "infinite" => Some(Self::Infinite),
            "zero" => Some(Self::Zero),
            "twice" => Some(Self::Twice),
            "reversed" => Some(Self::Reversed),
            "page" => Some(Self::Page),
            "nothing" => Some(Self::Nothing),
            "half" => Some(Self::Half),
            "flood" => Some(Self::Flood),
            _ => None,
        }
    }
}

/// The tokens of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// `t0 t1 t2 …`, so many of them, each with its trailing space.
    Numbered(usize),
    /// These.
    Given(Vec<String>),
    /// The last user message, word by word.
    Echo,
}

/// An error in place of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What the `Retry-After` header says, in seconds.
    pub retry_after: Option<u64>,
    /// The message, rendered in the error format of the wire.
    pub message: String,
}

/// What comes after the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The wire's end marker and the end of the body.
    Complete,
    /// The end of the body without the wire's end marker.
    Unmarked,
    /// The connection is closed in mid-body.
    Cut,
    /// Nothing, on an open connection, until the client leaves.
    Hang,
    /// Bytes that no wire knows, then the end of the body.
    Garbage,
    /// The wire's error event ("overloaded"), then the end of the body.
    Fail,
    /// The model asks for a tool.
    ToolCall,
    /// Words of 64 KiB until the client leaves.
    Flood,
    /// One frame that never ends, until the client leaves.
    EndlessFrame,
}

/// The reason that the end marker gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// The model was done.
    Stop,
    /// The answer reached its limit.
    Length,
    /// The model wants a tool called. Gemini and Ollama have no reason of their own for that.
    ToolCall,
}

impl Script {
    /// The whole of `text`, word by word, as fast as it can be written.
    #[must_use]
    pub fn says(text: &str) -> Self {
        let words = text.split_inclusive(' ').map(str::to_owned).collect();
        Self { words: Words::Given(words), ..Self::tokens(0) }
    }

    /// `count` numbered tokens, as fast as they can be written.
    #[must_use]
    pub const fn tokens(count: usize) -> Self {
        Self {
            before_headers: Some(Duration::ZERO),
            refusal: None,
            before_first: Duration::ZERO,
            thoughts: 0,
            words: Words::Numbered(count),
            pace: Duration::ZERO,
            drip: false,
            ending: Ending::Complete,
            finish: Finish::Stop,
            dimensions: 8,
            flaw: None,
        }
    }

    /// Vectors of so many dimensions, which are the nearer to each other the more words the texts have in common. A request
    /// for a ranking is answered with one, by the words that passages have in common with the query.
    #[must_use]
    pub fn vectors(dimensions: usize) -> Self {
        Self { dimensions, ..Self::tokens(0) }
    }

    /// An error of this status. The message of 400 and 401 repeats the key that was sent, as some providers do.
    #[must_use]
    pub fn error(status: u16) -> Self {
        let refusal = Refusal {
            status,
            retry_after: (status == 429).then_some(7),
            message: match status {
                400 | 401 => "Scripted refusal for the key {key}".to_owned(),
                _ => format!("Scripted refusal with status {status}"),
            },
        };
        Self { refusal: Some(refusal), ..Self::tokens(0) }
    }

    /// The script of a model name, or `None` if the name is not one of these:
    ///
    /// | model | does |
    /// |---|---|
    /// | `tokens-200`, `tokens-200-5ms` | so many numbered tokens, that far apart |
    /// | `says:some text` | this text |
    /// | `echo` | the last user message |
    /// | `thinks-3` | three tokens of reasoning, then five of answer |
    /// | `length-3` | three tokens, and then says that the limit was reached |
    /// | `slow-first-200ms` | headers at once, the first token later |
    /// | `drip-100ms` | five frames in pieces, that far apart |
    /// | `error-429` | this status, in the wire's error format (429 with `Retry-After: 7`) |
    /// | `fail-after-3` | three tokens, then the wire's error event |
    /// | `cut-after-3` | three tokens, then the connection is closed in mid-body |
    /// | `end-after-3` | three tokens, then the body ends without the wire's end marker |
    /// | `hang-before-headers` | nothing at all |
    /// | `hang-after-3` | three tokens, then nothing |
    /// | `garbage` | bytes that are not of the wire |
    /// | `huge` | words of 64 KiB without end |
    /// | `huge-frame` | one frame without end |
    /// | `tool-call` | asks for the tool `lookup` |
    /// | `vectors-8` | vectors of so many dimensions |
    /// | `ranks` | a ranking |
    /// | `vectors-8-short`, `ranks-short`, also `…-mixed`, `…-nan`, `…-infinite`, `…-zero`, `…-twice`, `…-reversed`, `…-page`, `…-nothing`, `…-half`, `…-flood` | the same with this [`Flaw`] |
    ///
    /// Whatever the name, a request for vectors or for a ranking is answered with that, unless the script refuses or hangs.
    #[must_use]
    pub fn named(model: &str) -> Option<Self> {
        if let Some(text) = model.strip_prefix("says:") {
            return Some(Self::says(text));
        }
        let ending = |count: &str, ending| Some(Self { ending, ..Self::tokens(count.parse().ok()?) });
        let parts: Vec<&str> = model.split('-').collect();
        match *parts.as_slice() {
            ["tokens", count] => Some(Self::tokens(count.parse().ok()?)),
            ["tokens", count, pace] => Some(Self { pace: millis(pace)?, ..Self::tokens(count.parse().ok()?) }),
            ["echo"] => Some(Self { words: Words::Echo, ..Self::tokens(0) }),
            ["thinks", count] => Some(Self { thoughts: count.parse().ok()?, ..Self::tokens(5) }),
            ["length", count] => Some(Self { finish: Finish::Length, ..Self::tokens(count.parse().ok()?) }),
            ["slow", "first", pause] => Some(Self { before_first: millis(pause)?, ..Self::tokens(5) }),
            ["drip", pace] => Some(Self { pace: millis(pace)?, drip: true, ..Self::says("één twee drie vier vijf") }),
            ["error", status] => {
                let status = status.parse().ok().filter(|status| (400..600).contains(status))?;
                Some(Self::error(status))
            }
            ["fail", "after", count] => ending(count, Ending::Fail),
            ["cut", "after", count] => ending(count, Ending::Cut),
            ["end", "after", count] => ending(count, Ending::Unmarked),
            ["hang", "after", count] => ending(count, Ending::Hang),
            ["hang", "before", "headers"] => Some(Self { before_headers: None, ..Self::tokens(0) }),
            ["garbage"] => ending("0", Ending::Garbage),
            ["huge"] => ending("0", Ending::Flood),
            ["huge", "frame"] => ending("0", Ending::EndlessFrame),
            ["vectors", count] => Some(Self::vectors(dimensions(count)?)),
            ["vectors", count, flaw] => {
                Some(Self { flaw: Some(Flaw::named(flaw)?), ..Self::vectors(dimensions(count)?) })
            }
            ["ranks"] => Some(Self::vectors(8)),
            ["ranks", flaw] => Some(Self { flaw: Some(Flaw::named(flaw)?), ..Self::vectors(8) }),
            ["tool", "call"] => Some(Self { ending: Ending::ToolCall, finish: Finish::ToolCall, ..Self::tokens(0) }),
            _ => None,
        }
    }

    /// The tokens of the answer to a request whose last user message is `question`.
    pub(crate) fn words(&self, question: &str) -> Vec<String> {
        match &self.words {
            Words::Numbered(count) => (0..*count).map(|index| format!("t{index} ")).collect(),
            Words::Given(words) => words.clone(),
            Words::Echo => question.split_inclusive(' ').map(str::to_owned).collect(),
        }
    }
}

fn dimensions(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| (1..=16_000).contains(count))
}

fn millis(text: &str) -> Option<Duration> {
    text.strip_suffix("ms")?.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_script() {
        let five = Script::named("tokens-200-5ms").unwrap();
        assert_eq!((five.words, five.pace), (Words::Numbered(200), Duration::from_millis(5)));
        assert_eq!(Script::named("says:a b").unwrap().words(""), ["a ", "b"]);
        assert_eq!(Script::named("echo").unwrap().words("x y"), ["x ", "y"]);
        assert_eq!(Script::named("error-429").unwrap().refusal.unwrap().retry_after, Some(7));
        assert_eq!(Script::named("hang-before-headers").unwrap().before_headers, None);
        let short = Script::named("vectors-16-short").unwrap();
        assert_eq!((short.dimensions, short.flaw), (16, Some(Flaw::Short)));
        assert_eq!(Script::named("cut-after-3").unwrap().ending, Ending::Cut);
    }

    #[test]
    fn another_name_is_none() {
        for name in [
            "",
            "gpt-4o",
            "tokens-",
            "tokens-x",
            "tokens-2-5s",
            "error-200",
            "error-999",
            "cut-after--1",
            "vectors-0",
            "ranks-x",
        ] {
            assert_eq!(Script::named(name), None, "{name}");
        }
    }
}
