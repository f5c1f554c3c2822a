use std::ops::Range;

use crate::chat::tokens;
use crate::wire::embedding::Most;

/// Cuts texts into runs that each fit into a request, in order. A text that is too long by itself goes alone: the provider
/// counts tokens better, and says so.
pub(super) fn batches(texts: &[String], most: Most) -> Vec<Range<usize>> {
    let mut batches = Vec::new();
    let mut start = 0;
    let mut sum: u64 = 0;
    for (at, text) in texts.iter().enumerate() {
        let count = tokens(text);
        let with_it = sum.saturating_add(count);
        if at > start && (at - start >= most.texts || with_it > most.tokens) {
            batches.push(start..at);
            start = at;
            sum = count;
        } else {
            sum = with_it;
        }
    }
    if start < texts.len() {
        batches.push(start..texts.len());
    }
    batches
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_cut_where_a_limit_is() {
        let texts = |lengths: &[usize]| lengths.iter().map(|&length| "x".repeat(length)).collect::<Vec<_>>();
        let most = Most { texts: 3, tokens: 10 };
        assert_eq!(batches(&texts(&[4, 4, 4, 4]), most), [0..3, 3..4]);
        assert_eq!(batches(&texts(&[20, 20, 4, 400, 4]), most), [0..2, 2..3, 3..4, 4..5]);
        assert!(batches(&[], most).is_empty());
    }

    proptest! {
        #[test]
        fn every_text_is_in_one_batch_in_its_order_and_no_batch_is_too_large(
            texts in prop::collection::vec("[a-zä]{0,60}", 0..60),
            most in (1_usize..9, 1_u64..40).prop_map(|(texts, tokens)| Most { texts, tokens }),
        ) {
            let batches = batches(&texts, most);
            prop_assert!(batches.iter().cloned().flatten().eq(0..texts.len()));
            for batch in batches {
                let sum: u64 = texts[batch.clone()].iter().map(|text| tokens(text)).sum();
                prop_assert!(!batch.is_empty() && batch.len() <= most.texts);
                prop_assert!(batch.len() == 1 || sum <= most.tokens);
            }
        }
    }
}
