/// What a masked secret begins with. A value that begins so is never taken for a secret.
pub const MASK_PREFIX: &str = "****";

/// Stands in for a secret wherever it is read back: four asterisks and its last four characters. Secrets of fewer than
/// twelve characters show none of them, so that the mask never gives away a third of one.
#[must_use]
pub fn mask(secret: &str) -> String {
    let length = secret.chars().count();
    let shown = if length < 12 { 0 } else { 4 };
    MASK_PREFIX.chars().chain(secret.chars().skip(length - shown)).collect()
}

/// Whether `value` is a mask that was sent back, which means "keep what is stored".
#[must_use]
pub fn is_masked(value: &str) -> bool {
    value.starts_with(MASK_PREFIX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shows_the_end_of_a_long_secret_only() {
        assert_eq!(mask("sk-0123456789abcdef"), "****cdef");
        assert_eq!(mask("hunter2"), "****");
        assert_eq!(mask(""), "****");
    }

    proptest! {
        #[test]
        fn a_mask_is_recognised_and_short(secret in "\\PC{0,64}") {
            let masked = mask(&secret);
            prop_assert!(is_masked(&masked));
            prop_assert!(masked.chars().count() <= 8);
        }
    }
}
