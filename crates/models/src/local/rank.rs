use std::collections::HashMap;

/// How soon a repeated term stops to count, and how much a long sentence is held against it: the usual values of BM25.
const SATURATION: f64 = 1.2;
const LENGTH_WEIGHT: f64 = 0.75;

/// How well each text answers a question of these terms, by BM25: terms that few texts have count most. 0 is not at all.
pub(super) fn scores(question: &[String], texts: &[Vec<String>]) -> Vec<f64> {
    let mut frequency: HashMap<&str, u32> = question.iter().map(|term| (term.as_str(), 0)).collect();
    for text in texts {
        for term in distinct(question) {
            if text.iter().any(|other| other == term)
                && let Some(count) = frequency.get_mut(term)
            {
                *count += 1;
            }
        }
    }
    let count = number(texts.len());
    let average = number(texts.iter().map(Vec::len).sum()) / count.max(1.0);
    let weight = |term: &str| {
        let having = frequency.get(term).copied().map_or(0.0, f64::from);
        (1.0 + (count - having + 0.5) / (having + 0.5)).ln()
    };
    let score = |text: &Vec<String>| {
        let length = SATURATION * (1.0 - LENGTH_WEIGHT + LENGTH_WEIGHT * number(text.len()) / average.max(1.0));
        let gain = |term: &str| {
            let times = number(text.iter().filter(|other| *other == term).count());
            weight(term) * times * (SATURATION + 1.0) / (times + length)
        };
        distinct(question).map(gain).sum()
    };
    texts.iter().map(score).collect()
}

/// How many of the question's terms a text has, from 0 to 1.
pub(super) fn coverage(question: &[String], text: &[String]) -> f64 {
    let had = distinct(question).filter(|term| text.iter().any(|other| other == term)).count();
    number(had) / number(distinct(question).count()).max(1.0)
}

/// The terms of a question, each once, in order. Questions are short.
fn distinct(terms: &[String]) -> impl Iterator<Item = &str> {
    terms
        .iter()
        .enumerate()
        .filter(|(at, term)| !terms.iter().take(*at).any(|before| before == *term))
        .map(|(_, t)| t.as_str())
}

/// Counts stay far below what this would lose.
fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn rare_terms_count_most() {
        let texts = ["shop open", "shop closed", "shop open sunday", "garden"].map(terms);
        let scores = scores(&terms("shop sunday"), &texts);
        assert!(scores[2] > scores[0] && scores[0] > 0.0, "{scores:?}");
        assert!(scores[3] == 0.0);
    }

    #[test]
    fn nothing_has_no_score() {
        assert!(scores(&terms("x"), &[]).is_empty());
        assert_eq!(scores(&[], &[terms("x"), vec![]]), [0.0, 0.0]);
        assert!((coverage(&terms("a b a"), &terms("b c")) - 0.5).abs() < 1e-9);
        assert!(coverage(&[], &[]) < 1e-9);
    }
}
