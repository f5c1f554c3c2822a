//! Texts as terms that can be compared: words in lower case without their endings, or pairs of letters where words are
//! not told apart by blanks.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that say nothing about what a text is about, in English and the most frequent ones of some other languages. The
/// built-in vectors depend on them, and on how words are cut: a change of either is a new version of those.
pub(super) const STOP_WORDS: &str = "\
a about above after again all also am an and any are as at au auf aus be because been before being but by can come \
con could das de del dem den der des did die do does doing don done du ein eine el en es est et ever every find for \
from für get give go had has have he her here hers him his how ich if il im in into is ist it its je just know la \
las le les let like los make many may me mention mentioned mine mit more most much must my need nicht no nor not now \
of off on once one only or other our out over para please por pour que really remember said same say says se she \
should show sich sie so some still such sur tell than that the their them then there these they this those to told \
too un una und une up us very vous want was we were what when where which who whom whose why will with would write \
wrote you your yours zu";

static STOP_WORD_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP_WORDS.split(' ').collect());

/// The words of a text in lower case. Letters of scripts that do not part words come in pairs.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for run in text.split(|letter: char| !letter.is_alphanumeric()) {
        let mut rest = run;
        while let Some(first) = rest.chars().next() {
            let unparted = is_unparted(first);
            let end = rest.find(|letter| is_unparted(letter) != unparted).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            if unparted {
                push_pairs(piece, &mut words);
            } else {
                words.push(piece.to_lowercase());
            }
            rest = after;
        }
    }
    words
}

/// The words that say what a text is about, without their endings.
pub(super) fn terms(text: &str) -> Vec<String> {
    words(text).into_iter().filter(|word| is_telling(word)).map(|word| stem(&word).to_owned()).collect()
}

/// Whether a word, in lower case, says what a text is about.
pub(super) fn is_telling(word: &str) -> bool {
    let letter_of_its_own = word.len() == 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
    !letter_of_its_own && !STOP_WORD_SET.contains(word)
}

/// Chinese, Japanese, Korean and Thai. Korean parts its words, but they carry so many endings that pairs do better.
const fn is_unparted(letter: char) -> bool {
    matches!(letter, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{20000}'..='\u{2ffff}')
}

fn push_pairs(piece: &str, words: &mut Vec<String>) {
    let letters: Vec<char> = piece.chars().collect();
    match letters.as_slice() {
        [letter] => words.push(letter.to_string()),
        letters => words.extend(letters.windows(2).map(|pair| pair.iter().collect::<String>())),
    }
}

/// A word without the commonest English endings. It need not be a word, only the same for all forms of one.
fn stem(word: &str) -> &str {
    if !word.is_ascii() || word.len() < 4 {
        return word;
    }
    let stem = if let Some(stem) = word.strip_suffix("ing").or_else(|| word.strip_suffix("ed")).filter(|s| s.len() > 2)
    {
        undoubled(stem)
    } else if let Some(stem) = word.strip_suffix("ies") {
        return stem;
    } else if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        word
    } else {
        word.strip_suffix('s').unwrap_or(word)
    };
    let stem = stem.strip_suffix('e').unwrap_or(stem);
    // `stories` has lost its last letters already.
    stem.strip_suffix('y').filter(|stem| stem.len() > 2).unwrap_or(stem)
}

/// `run` for `runn`, but `call` for `call`.
fn undoubled(stem: &str) -> &str {
    let mut letters = stem.bytes().rev();
    match (letters.next(), letters.next()) {
        (Some(last), Some(before)) if last == before && !matches!(last, b'l' | b's' | b'z' | b'e' | b'o') => {
            stem.get(..stem.len() - 1).unwrap_or(stem)
        }
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_are_one_term() {
        for forms in [
            ["open", "opens", "opened", "opening"],
            ["run", "runs", "running", "run"],
            ["delete", "deletes", "deleted", "deleting"],
            ["story", "stories", "story", "stories"],
            ["call", "calls", "called", "calling"],
        ] {
            let stems: Vec<&str> = forms.iter().map(|form| stem(form)).collect();
            assert!(stems.iter().all(|form| *form == stems[0]), "{stems:?}");
        }
        assert_eq!(stem("bus"), "bus");
    }

    #[test]
    fn scripts_without_blanks_come_in_pairs() {
        assert_eq!(words("配送は月曜日 ok"), ["配送", "送は", "は月", "月曜", "曜日", "ok"]);
        assert_eq!(words("東"), ["東"]);
        assert_eq!(terms("What is the OPENING-time, Müller?"), ["open", "tim", "müller"]);
        assert!(terms("a b I what did you say").is_empty());
    }
}
