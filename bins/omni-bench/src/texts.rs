//! Texts that are about something: each paragraph has a topic with words of its own among the words that all share, so
//! that passages have neighbours as those of people do. The same texts in every run.

const TOPICS: usize = 400;
const WORDS_OF_TOPIC: usize = 40;
const SHARED_WORDS: usize = 3_000;
const SYLLABLES: [&str; 24] = [
    "ba", "de", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "zi", "cha", "gre", "plo", "sti", "tra",
    "ful", "ment", "ing", "ous", "ber", "lin",
];

pub(crate) struct Author {
    state: u64,
    shared: Vec<String>,
    topics: Vec<Vec<String>>,
}

impl Author {
    pub(crate) fn new() -> Self {
        let mut author = Self { state: 0x2026_1125, shared: Vec::new(), topics: Vec::new() };
        author.shared = (0..SHARED_WORDS).map(|_| author.word()).collect();
        author.topics = (0..TOPICS).map(|_| (0..WORDS_OF_TOPIC).map(|_| author.word()).collect()).collect();
        author
    }

    /// About so many characters.
    pub(crate) fn text(&mut self, characters: usize) -> String {
        let mut text = String::with_capacity(characters + 2_000);
        while text.len() < characters {
            let topic = self.below(TOPICS);
            for _ in 0..12 {
                self.sentence(topic, &mut text);
            }
            text.push_str("\n\n");
        }
        text
    }

    fn sentence(&mut self, topic: usize, text: &mut String) {
        for place in 0..14 {
            if place > 0 {
                text.push(' ');
            }
            let of_topic = self.below(10) < 4;
            // Common words are common: the product of two draws falls on the first ones most.
            let at = self.below(SHARED_WORDS) * self.below(SHARED_WORDS) / SHARED_WORDS;
            let in_topic = self.below(WORDS_OF_TOPIC);
            let word = if of_topic {
                self.topics.get(topic).and_then(|words| words.get(in_topic))
            } else {
                self.shared.get(at)
            };
            text.push_str(word.map_or("", String::as_str));
        }
        text.push_str(". ");
    }

    fn word(&mut self) -> String {
        let count = 2 + self.below(3);
        (0..count).filter_map(|_| SYLLABLES.get(self.below(SYLLABLES.len())).copied()).collect()
    }

    /// A number below `bound`, by xorshift64*.
    fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let drawn = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).unwrap_or_default() % bound.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_same_again() {
        let (mut one, mut other) = (Author::new(), Author::new());
        let text = one.text(10_000);
        assert_eq!(text, other.text(10_000));
        assert!(text.len() >= 10_000 && text.contains("\n\n"));
        assert_ne!(one.text(1_000), other.text(2_000));
    }
}
