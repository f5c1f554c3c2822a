/// The most characters of a sentence; whatever is longer is cut into several.
const LONGEST: usize = 400;

/// The sentences of a text, trimmed: up to `.`, `!`, `?` before a blank, to their like in other scripts, or to the end of
/// a line. List marks and quotation marks at the beginning of a line are left out.
pub(super) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.trim_start_matches(|letter: char| letter.is_whitespace() || "#>*-•".contains(letter)))
        .flat_map(sentences_of_line)
        .map(str::trim)
        .filter(|sentence| sentence.chars().any(char::is_alphanumeric))
}

fn sentences_of_line(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let (sentence, after) = rest.split_at(end_of_sentence(rest)?);
        rest = after;
        Some(sentence)
    })
}

/// Where the first sentence of a line ends; `None` for an empty line.
fn end_of_sentence(line: &str) -> Option<usize> {
    let mut letters = line.char_indices().peekable();
    let mut count = 0;
    while let Some((start, letter)) = letters.next() {
        count += 1;
        let end = start + letter.len_utf8();
        let before_blank = letters.peek().is_none_or(|(_, next)| next.is_whitespace());
        let ends = match letter {
            '.' | '!' | '?' | '…' => before_blank,
            '。' | '！' | '？' | '।' => true,
            _ => false,
        };
        if ends || count >= LONGEST && letter.is_whitespace() || count >= LONGEST * 2 {
            return Some(end);
        }
    }
    (!line.is_empty()).then_some(line.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_end_where_they_end() {
        let text = "Version 1.5 is out. Is it? Yes!\n- a list\n> # quoted\n\n***\n配送は月曜日です。火曜日は休み";
        let found: Vec<&str> = sentences(text).collect();
        let expected =
            ["Version 1.5 is out.", "Is it?", "Yes!", "a list", "quoted", "配送は月曜日です。", "火曜日は休み"];
        assert_eq!(found, expected);
    }

    proptest! {
        #[test]
        fn no_sentence_is_long_and_no_letter_is_lost(text in "[a-z.? \n。é]{0,2000}") {
            let letters = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).count();
            prop_assert_eq!(sentences(&text).map(letters).sum::<usize>(), letters(&text));
            for sentence in sentences(&text) {
                prop_assert!(sentence.chars().count() <= LONGEST * 2);
            }
        }
    }
}
