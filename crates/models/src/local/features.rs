//! Texts as vectors, by signed feature hashing (Weinberger, Dasgupta, Langford, Smola and Attenberg, "Feature Hashing for
//! Large Scale Multitask Learning", ICML 2009): each feature of a text is added to one place of the vector, with a sign, and
//! both come from the feature's hash. Features that meet in one place cancel out as often as they add up, so the product of
//! two vectors is, on average, that of the texts' features.
//!
//! Features are words, runs of 3 to 5 letters within words, and pairs of words. The runs make a word near to its other
//! forms, to misspellings and to compounds, in any language that is written in letters.
//!
//! Vectors are the same on every machine: the arithmetic is integers, and the four operations and the square root of IEEE
//! 754, always in the same order.

use super::terms::{is_telling, words};

pub(super) const DIMENSIONS: usize = 384;
/// The shortest and the longest run of letters. The ends of a word count as letters.
const SHORTEST_RUN: usize = 3;
const LONGEST_RUN: usize = 5;
/// What stands for the ends of a word; no word has it.
const EDGE: char = '\u{1}';

/// The kinds of features, in the two highest bits of a feature so that sorting keeps a kind together.
const WORD: u64 = 0;
const COMMON_WORD: u64 = 1;
const RUN: u64 = 2;
const PAIR: u64 = 3;
const KIND_SHIFT: u32 = 62;

/// What a feature of each kind counts. A word has some twenty runs, so that its letters have about three times as much to
/// say as the word as a whole; among the weights that were tried on paragraphs of prose, which are found by a misspelt phrase
/// of theirs and by a sentence that stood beside them, these do well at both.
const WEIGHTS: [f32; 4] = [1.0, 0.2, 0.4, 0.4];

/// The unit vector of a text.
pub(super) fn vector_of(text: &str) -> Vec<f32> {
    let mut features = features_of(text);
    features.sort_unstable();
    let mut vector = vec![0.0_f32; DIMENSIONS];
    for run in features.chunk_by(|a, b| a == b) {
        let Some(&feature) = run.first() else { continue };
        add(&mut vector, feature, run.len());
    }
    normalise(&mut vector, text);
    vector
}

/// Adds a feature that a text has so many times. The second time says less than the first: the root of the count, which
/// unlike its logarithm is the same on every machine.
fn add(vector: &mut [f32], feature: u64, times: usize) {
    let kind = usize::try_from(feature >> KIND_SHIFT).unwrap_or_default();
    let weight = WEIGHTS.get(kind).copied().unwrap_or_default();
    let gain = weight * f32::from(u16::try_from(times).unwrap_or(u16::MAX)).sqrt();
    let signed = if feature & 1 == 0 { gain } else { -gain };
    if let Some(number) = vector.get_mut(place_of(feature)) {
        *number += signed;
    }
}

/// The place of a feature: bits 1 to 32 of it, scaled to the dimensions (Lemire, "Fast Random Integer Generation in an
/// Interval", 2019).
fn place_of(feature: u64) -> usize {
    let bits = (feature >> 1) & u64::from(u32::MAX);
    let dimensions = u64::try_from(DIMENSIONS).unwrap_or_default();
    usize::try_from((bits * dimensions) >> 32).unwrap_or_default()
}

fn normalise(vector: &mut [f32], text: &str) {
    let length = vector.iter().map(|number| number * number).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|number| *number /= length);
    } else if let Some(number) = vector.get_mut(place_of(hash(text.chars()))) {
        // Nothing but features that cancel each other out: rare, but a vector has a direction.
        *number = 1.0;
    }
}

fn features_of(text: &str) -> Vec<u64> {
    // About one for each letter, and as many again of the longer runs.
    let mut features = Vec::with_capacity(text.len().saturating_mul(3));
    let mut letters = Vec::new();
    let mut before = None;
    for word in words(text) {
        let hashed = hash(word.chars());
        if !is_telling(&word) {
            features.push(feature(COMMON_WORD, hashed));
            continue;
        }
        features.push(feature(WORD, hashed));
        letters.clear();
        letters.extend([EDGE].into_iter().chain(word.chars()).chain([EDGE]));
        push_runs(&letters, &mut features);
        if let Some(before) = before.replace(hashed) {
            features.push(feature(PAIR, mixed(before ^ hashed.rotate_left(32))));
        }
    }
    if features.is_empty() {
        // No word at all: punctuation, symbols, pictographs.
        features.extend(text.split_whitespace().map(|piece| feature(WORD, hash(piece.chars()))));
    }
    features
}

fn push_runs(letters: &[char], features: &mut Vec<u64>) {
    for start in 0..letters.len() {
        let run = letters.iter().skip(start).take(LONGEST_RUN);
        let mut state = SEED;
        for (count, letter) in (1..).zip(run) {
            state = step(state, *letter);
            if count >= SHORTEST_RUN {
                features.push(feature(RUN, mixed(state)));
            }
        }
    }
}

const fn feature(kind: u64, hash: u64) -> u64 {
    (hash & !(3 << KIND_SHIFT)) | (kind << KIND_SHIFT)
}

/// The offset of FNV-1a (Fowler, Noll and Vo; RFC 9923), and its prime.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a, a letter at a time rather than a byte.
fn step(state: u64, letter: char) -> u64 {
    (state ^ u64::from(letter)).wrapping_mul(PRIME)
}

fn hash(letters: impl Iterator<Item = char>) -> u64 {
    mixed(letters.fold(SEED, step))
}

/// The last step of SplitMix64 (Steele, Lea and Flood, 2014), after which every bit depends on every other.
const fn mixed(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::local::terms::STOP_WORDS;

    fn nearness(a: &str, b: &str) -> f32 {
        vector_of(a).iter().zip(vector_of(b)).map(|(a, b)| a * b).sum()
    }

    const CORPUS: [&str; 12] = [
        "Refunds are paid within fourteen days after we receive the returned goods.",
        "The office opens at nine in the morning and closes at six in the evening.",
        "To reset your password, open the settings and choose a new one.",
        "Our servers are backed up every night, and backups are kept for thirty days.",
        "Der Urlaubsantrag muss vier Wochen vor dem Urlaub eingereicht werden.",
        "Die Lieferzeiten betragen in der Regel drei bis fünf Werktage.",
        "Das Krankenhaus hat seine Besuchszeiten geändert.",
        "Las facturas se pagan mediante transferencia bancaria en treinta días.",
        "Le contrat de location prend fin automatiquement après douze mois.",
        "配送は月曜日から金曜日まで行います。",
        "Доставка товаров осуществляется в течение трёх рабочих дней.",
        "The invoice number is printed in the upper right corner of the invoice.",
    ];

    /// The sentences of the corpus from the nearest to a question to the farthest.
    fn found(question: &str) -> Vec<usize> {
        let mut order: Vec<usize> = (0..CORPUS.len()).collect();
        order.sort_by(|&a, &b| nearness(question, CORPUS[b]).total_cmp(&nearness(question, CORPUS[a])));
        order
    }

    #[test]
    fn what_shares_words_or_stems_is_nearest_in_any_language() {
        for (question, expected) in [
            ("When will I get my refund for goods that I returned?", 0),
            ("opening and closing hours of the office", 1),
            ("How do I change my password in the settings?", 2),
            ("how long do you keep a backup of the server", 3),
            ("Wann muss ich Urlaub beantragen?", 4),
            ("Wie lange dauert die Lieferung, welche Lieferzeit?", 5),
            ("Wann darf ich jemanden im Krankenhaus besuchen?", 6),
            ("¿Cómo pago una factura por transferencia?", 7),
            ("Quand finit un contrat de location?", 8),
            ("月曜日に配送しますか", 9),
            ("Сколько дней занимает доставка товара?", 10),
            ("Where do I find the number of an invoice?", 11),
        ] {
            assert_eq!(found(question)[0], expected, "{question}");
        }
    }

    #[test]
    fn misspellings_are_forgiven() {
        for (question, expected) in [
            ("refnuds of retruned goods", 0),
            ("passwrod resett setings", 2),
            ("Urlaubsantarg einreichen", 4),
            ("Krankenhuas Besuchszeit", 6),
            ("transferenca bancaria facturas", 7),
        ] {
            assert_eq!(found(question)[0], expected, "{question}");
        }
    }

    #[test]
    fn compounds_are_near_to_their_parts() {
        for (a, b, other) in [
            ("Lieferzeit", "Lieferzeiten", "Öffnungszeit"),
            ("Urlaubsantrag", "Antrag auf Urlaub", "Rechnungsnummer"),
            ("Krankenversicherungsbeitrag", "Beitrag zur Krankenversicherung", "Kraftfahrzeugsteuer"),
            ("Datenschutzerklärung", "Erklärung zum Datenschutz", "Dienstwagenregelung"),
        ] {
            let (near, far) = (nearness(a, b), nearness(a, other));
            assert!(near > far + 0.15, "{a}: {near} to {b}, {far} to {other}");
        }
    }

    #[test]
    fn what_has_nothing_in_common_is_far_apart() {
        let strangers = (0..CORPUS.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        let nearest = strangers.map(|(a, b)| nearness(CORPUS[a], CORPUS[b])).fold(0.0, f32::max);
        assert!(nearest < 0.4, "{nearest}");
    }

    #[test]
    fn case_and_punctuation_do_not_count() {
        assert!((nearness("Refund, POLICY!", "refund policy") - 1.0).abs() < 1e-5);
        assert!(nearness("refund policy strict", "strict policy refund") < 0.999, "the order of words does");
    }

    /// Another number here is another model: it needs another name, or vectors that are stored would silently stop to match.
    #[test]
    fn a_version_never_changes() {
        let texts = CORPUS.into_iter().chain(["Version 1.5 開く한국어ไทย ÄÖÜß naïve ﬁn İ x² 🎉", "!?", STOP_WORDS]);
        let numbers = texts.flat_map(vector_of);
        let digest = numbers.fold(SEED, |state, number| {
            number.to_bits().to_be_bytes().iter().fold(state, |state, byte| step(state, char::from(*byte)))
        });
        assert_eq!(format!("{digest:016x}"), "f2d3ae7d55b51a12");
    }

    proptest! {
        #[test]
        fn every_text_has_a_unit_vector(text in "\\PC{1,300}") {
            prop_assume!(!text.trim().is_empty());
            let vector = vector_of(&text);
            prop_assert_eq!(vector.len(), DIMENSIONS);
            let length = vector.iter().map(|number| number * number).sum::<f32>();
            prop_assert!((length - 1.0).abs() < 1e-4, "{}", length);
        }
    }
}
