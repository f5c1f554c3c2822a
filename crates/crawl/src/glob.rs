//! Patterns for parts of a site.

use omni_domain::Invalid;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use regex::bytes::{RegexSet, RegexSetBuilder};

use crate::page_url::PageUrl;

/// The most patterns of one list.
pub const MAX_GLOBS: usize = 100;
/// The longest pattern, in bytes as a URL writes it.
pub const MAX_GLOB_LEN: usize = 500;

/// The most wildcards of one pattern. Each is a place where an automaton may be at the same time.
const MAX_WILDCARDS: usize = 10;

/// What a URL writes with percent signs, as far as people write it plainly.
const WRITTEN_PLAINLY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`');

/// A list of patterns, matched against the path and query of pages.
///
/// `**` stands for any text, `*` for any text without a slash, and everything else for itself. A pattern describes the
/// whole path and query; `/docs/**` is `/docs` with all below it. Matching takes time linear in the URL whatever the
/// patterns are, because they become one automaton without backtracking.
#[derive(Debug, Clone)]
pub(crate) struct Globs(Option<RegexSet>);

impl Globs {
    /// Reads the patterns of the policy's `field`.
    pub(crate) fn parse(field: &'static str, patterns: &[String]) -> Result<Self, Invalid> {
        if patterns.len() > MAX_GLOBS {
            return Err(Invalid::new(field, format!("must have at most {MAX_GLOBS} patterns")));
        }
        if patterns.is_empty() {
            return Ok(Self(None));
        }
        let expressions: Vec<String> = patterns
            .iter()
            .map(|pattern| {
                expression(pattern).map_err(|problem| {
                    let shown: String = pattern.chars().take(60).collect();
                    Invalid::new(field, format!("{shown:?} {problem}"))
                })
            })
            .collect::<Result<_, _>>()?;
        let set = RegexSetBuilder::new(expressions)
            .unicode(false)
            .size_limit(16 * 1024 * 1024)
            .build()
            .map_err(|_| Invalid::new(field, "the patterns are too large together; write fewer or shorter ones"))?;
        Ok(Self(Some(set)))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn matches(&self, page: &PageUrl) -> bool {
        self.matches_path(page.path_and_query())
    }

    fn matches_path(&self, path_and_query: &str) -> bool {
        self.0.as_ref().is_some_and(|set| set.is_match(path_and_query.as_bytes()))
    }
}

/// The regular expression that means the same as a pattern.
fn expression(pattern: &str) -> Result<String, &'static str> {
    let pattern = pattern.trim();
    if pattern.contains("://") {
        return Err("is a URL; write the path alone, such as /docs/**");
    }
    if !pattern.starts_with(['/', '*']) {
        return Err("must begin with / or *, such as /docs/** or **/print");
    }
    if pattern.contains(['{', '}', '[', ']', '\\']) {
        return Err("holds brackets, braces or a backslash, which mean nothing here; write one pattern for each case");
    }
    if pattern.contains("***") {
        return Err("holds three stars in a row; * stops at a slash and ** does not");
    }
    if pattern.replace("**", "*").matches('*').count() > MAX_WILDCARDS {
        return Err("holds more than 10 wildcards");
    }
    if pattern.contains('#') {
        return Err("holds a #; the part of a URL after it is no page of its own");
    }
    if pattern.chars().any(char::is_control) {
        return Err("holds a control character");
    }
    let pattern = utf8_percent_encode(pattern, WRITTEN_PLAINLY).to_string();
    if pattern.len() > MAX_GLOB_LEN {
        return Err("is longer than 500 bytes");
    }
    Ok(translate(&pattern))
}

fn translate(pattern: &str) -> String {
    // Pages are without a slash at the end of their path, so a pattern with one would match nothing.
    let pattern = pattern.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(pattern);
    let (stem, below) = match pattern.strip_suffix("/**") {
        Some(stem) if !stem.is_empty() => (stem, "(?:[/?].*)?"),
        _ => (pattern, ""),
    };
    let mut expression = String::from("(?s-u)^");
    for (nth, between) in stem.split("**").enumerate() {
        if nth > 0 {
            expression.push_str(".*");
        }
        for (nth, literal) in between.split('*').enumerate() {
            if nth > 0 {
                expression.push_str("[^/]*");
            }
            expression.push_str(&regex::escape(literal));
        }
    }
    expression.push_str(below);
    expression.push('$');
    expression
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::{prelude::*, proptest};

    use super::Globs;
    use crate::page_url::PageUrl;

    fn globs(patterns: &[&str]) -> Globs {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        Globs::parse("include_globs", &patterns).unwrap()
    }

    #[test]
    fn one_star_stops_at_a_slash_and_two_do_not() {
        for (pattern, matching, other) in [
            (
                "/docs/**",
                &["/docs", "/docs/", "/docs/a", "/docs/a/b?c=/d", "/docs?v=2"][..],
                &["/docs2", "/", "/a/docs"][..],
            ),
            ("/docs/*", &["/docs/a", "/docs/a?x=1"], &["/docs", "/docs/a/b", "/docs/a?x=/"]),
            ("/docs/", &["/docs", "/docs/"], &["/docs/a", "/docs?x"]),
            ("/*/print", &["/a/print"], &["/print", "/a/b/print", "/a/print?x"]),
            ("**/print", &["/a/print", "/a/b/print", "/print"], &["/a/print/b", "/blueprint"]),
            ("**.pdf", &["/a.pdf", "/a/b.pdf"], &["/a.pdf?x", "/apdf", "/a.pdf/b"]),
            ("/a**z", &["/az", "/a/b/z", "/abz"], &["/a", "/b/z"]),
            ("**?lang=*", &["/?lang=de", "/a/b?lang=de"], &["/?x=1&lang=de", "/lang=de", "/?lang=a/b"]),
            ("/größe (neu)", &["/größe (neu)", "/gr%C3%B6%C3%9Fe%20(neu)"], &["/grosse"]),
            ("/a+b.c|d^$", &["/a+b.c|d^$"], &["/aab.c|d^$", "/a+bxc|d^$"]),
            ("**", &["/", "/a?b"], &[]),
            ("/", &["/"], &["/a", "/?a"]),
        ] {
            let globs = globs(&[pattern]);
            let page = |path: &&str| PageUrl::parse(&format!("https://example.com{path}")).unwrap();
            for path in matching {
                assert!(globs.matches(&page(path)), "{pattern} {path}");
            }
            for path in other {
                assert!(!globs.matches(&page(path)), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn a_pattern_that_means_nothing_is_refused_with_the_field_and_advice() {
        for (pattern, advice) in [
            ("https://example.com/docs/**", "path alone"),
            ("docs/**", "begin with /"),
            ("", "begin with /"),
            ("/{a,b}", "one pattern for each"),
            ("/[ab]", "one pattern for each"),
            ("/a\\*", "one pattern for each"),
            ("/***", "three stars"),
            (&"/a*".repeat(11), "more than 10"),
            ("/a#b", "holds a #"),
            ("/a\nb", "control character"),
            (&format!("/{}", "ö".repeat(100)), "longer than 500"),
        ] {
            let error = Globs::parse("exclude_globs", &["/fine".to_owned(), pattern.to_owned()]).unwrap_err();
            assert_eq!(error.field, "exclude_globs");
            assert!(error.problem.contains(advice), "{error}");
        }
        assert!(Globs::parse("exclude_globs", &vec!["/a".to_owned(); 101]).is_err());
    }

    /// A matcher that goes back and tries again would take minutes for each.
    #[test]
    fn the_worst_patterns_and_the_longest_url_are_matched_at_once() {
        let worst = ["**a*b".repeat(5), "*a".repeat(10), format!("**{}b**", "a*".repeat(8)), "**/a*b".repeat(5)];
        let patterns: Vec<String> = (0..100).map(|nth| format!("{}{}!", worst[nth % 4], "a".repeat(nth))).collect();
        let globs = Globs::parse("include_globs", &patterns).unwrap();
        for path in ["/aab".repeat(500), format!("/{}", "a".repeat(2_000))] {
            let start = Instant::now();
            assert!(!globs.matches_path(&path));
            let took = start.elapsed();
            println!("100 patterns against {} bytes: {took:?}", path.len());
            assert!(took < Duration::from_secs(5));
        }
    }

    /// The definition, word for word; exponential, so for short texts only.
    fn by_definition(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=text.len()).any(|from| by_definition(rest, &text[from..])),
            [b'*', rest @ ..] => (0..=text.len())
                .take_while(|&from| !text[..from].contains(&b'/'))
                .any(|from| by_definition(rest, &text[from..])),
            [letter, rest @ ..] => text.first() == Some(letter) && by_definition(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn matching_follows_the_definition(pattern in "/([ab/]|\\*){0,7}[ab]", text in "/[ab/]{0,9}") {
            prop_assume!(!pattern.contains("***"));
            prop_assert_eq!(globs(&[&pattern]).matches_path(&text), by_definition(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn any_text_is_a_pattern_or_refused(pattern in any::<String>(), path in "/[ -~]{0,40}") {
            if let Ok(globs) = Globs::parse("include_globs", &[pattern]) {
                globs.matches_path(&path);
            }
        }
    }
}
