//! One `Allow` or `Disallow`.

use std::cmp::Reverse;

use crate::page_url::MAX_URL_LEN;

/// A pattern of paths and what becomes of those that match. `*` stands for any text; a `$` at the end for the end.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) allows: bool,
    pattern: Box<str>,
    to_the_end: bool,
    /// The length of the pattern as it was written: the longest one that matches decides.
    specificity: usize,
}

impl Rule {
    /// Reads the value of an `Allow` or `Disallow` line. `None` if it matches nothing: an empty one, and one longer than
    /// any URL.
    pub(super) fn read(allows: bool, value: &str) -> Option<Self> {
        let (value, to_the_end) = value.strip_suffix('$').map_or((value, false), |stem| (stem, true));
        let mut pattern = normal(value);
        let specificity = pattern.len() + usize::from(to_the_end);
        while pattern.contains("**") {
            pattern = pattern.replace("**", "*");
        }
        let literal = pattern.bytes().filter(|&byte| byte != b'*').count();
        let matches_something = (!pattern.is_empty() || to_the_end) && literal <= MAX_URL_LEN;
        matches_something.then(|| Self { allows, pattern: pattern.into(), to_the_end, specificity })
    }

    pub(super) fn forbidding_everything() -> Self {
        Self { allows: false, pattern: "/".into(), to_the_end: false, specificity: 1 }
    }

    /// The order in which rules are asked: the longest pattern first, and of equally long ones those that allow.
    pub(super) fn precedence(&self) -> (Reverse<usize>, bool) {
        (Reverse(self.specificity), !self.allows)
    }

    pub(super) fn wildcards(&self) -> usize {
        self.pattern.matches('*').count()
    }

    /// Whether the pattern describes the beginning of `path`, or all of it if it ends in `$`. The leftmost place for each
    /// piece leaves the most room for the next, so no choice is ever taken back.
    pub(super) fn matches(&self, path: &str) -> bool {
        let Some((head, tail)) = self.pattern.split_once('*') else {
            return if self.to_the_end { path == &*self.pattern } else { path.starts_with(&*self.pattern) };
        };
        let Some(mut rest) = path.strip_prefix(head) else { return false };
        let (middle, last) = if self.to_the_end { tail.rsplit_once('*').unwrap_or(("", tail)) } else { (tail, "") };
        for piece in middle.split('*').filter(|piece| !piece.is_empty()) {
            let Some((_, after)) = rest.split_once(piece) else { return false };
            rest = after;
        }
        rest.ends_with(last)
    }
}

/// Path or pattern with each octet written in one way (RFC 9309, 2.2.2): letters that need no percent sign without,
/// all others beyond ASCII with one, in upper case.
pub(super) fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match (byte, escaped(after)) {
            (b'%', Some((octet, after))) => {
                rest = after;
                if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
                    normal.push(char::from(octet));
                } else {
                    push_escaped(&mut normal, octet);
                }
            }
            (byte, _) if byte.is_ascii_graphic() => normal.push(char::from(*byte)),
            (byte, _) => push_escaped(&mut normal, *byte),
        }
    }
    normal
}

/// The octet that two hexadecimal digits stand for, and what comes after them.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, after @ ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(high)? * 16 + digit(low)?, after))
}

fn push_escaped(text: &mut String, octet: u8) {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase();
    text.extend(['%', digit(octet >> 4), digit(octet & 0xf)]);
}

#[cfg(test)]
mod tests {
    use super::{Rule, normal};

    #[test]
    fn an_octet_has_one_spelling() {
        for (written, meant) in [
            ("/%7ejoe/%41", "/~joe/A"),
            ("/a%2fb%3c", "/a%2Fb%3C"),
            ("/gr\u{f6}\u{df}e x", "/gr%C3%B6%C3%9Fe%20x"),
            ("/100%/%zz%", "/100%/%zz%"),
        ] {
            assert_eq!(normal(written), meant);
            assert_eq!(normal(meant), meant);
        }
    }

    #[test]
    fn patterns_match_as_the_standard_says() {
        for (pattern, matching, other) in [
            ("/fish", &["/fish", "/fish.html", "/fishheads/x", "/fish?id=1"][..], &["/Fish", "/catfish", "/"][..]),
            ("/fish/", &["/fish/", "/fish/x"], &["/fish", "/fish.html"]),
            ("/fish*", &["/fish", "/fishheads"], &["/Fish"]),
            ("/*.php", &["/a.php", "/a/b.php?c", "/.php/x"], &["/", "/a.PHP"]),
            ("/*.php$", &["/a.php", "/a.php/b.php"], &["/a.php?b", "/a.php/", "/a.php5"]),
            ("/fish*.php", &["/fish.php", "/fishheads/a.php?b"], &["/Fish.php", "/x/fish.php"]),
            ("/a*b*c$", &["/abc", "/a/b/c/bc"], &["/ac", "/abcd", "/acb"]),
            ("/$", &["/"], &["/a"]),
            ("*", &["/", "/x"], &[]),
            ("/a**b", &["/axb"], &["/a"]),
            ("/ab*b$", &["/abb", "/abxb"], &["/ab"]),
        ] {
            let rule = Rule::read(false, pattern).unwrap();
            for path in matching {
                assert!(rule.matches(path), "{pattern} {path}");
            }
            for path in other {
                assert!(!rule.matches(path), "{pattern} {path}");
            }
        }
        assert!(Rule::read(false, "").is_none());
        assert!(Rule::read(false, &"x".repeat(3_000)).is_none());
    }
}
