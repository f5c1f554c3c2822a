use crate::setting::PREFIX;

/// Below this likeness (1 is equal) a suggestion confuses more than it helps.
const ALIKE: f64 = 0.75;

/// The candidate that `given` was most likely meant to be, if any is alike.
pub(crate) fn nearest<'a>(given: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (likeness(given, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// The prefix that all variables share says nothing, and of a path in the file only the name counts: a known name in
/// the wrong section is the commonest mistake, and one cut short to its last word is the next.
fn likeness(given: &str, candidate: &str) -> f64 {
    let (given, candidate) = (bare(given), bare(candidate));
    if candidate.strip_suffix(&given).is_some_and(|start| start.ends_with('_')) {
        return 1.0;
    }
    strsim::jaro(&given, &candidate)
}

fn bare(name: &str) -> String {
    let name = name.rsplit('.').next().unwrap_or(name).trim_matches(['[', ']']);
    let upper = name.to_ascii_uppercase();
    upper.strip_prefix(PREFIX).unwrap_or(&upper).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_does_not_guess_wildly() {
        let known = ["OMNI_HTTP_ADDR", "OMNI_CONTROL_ADDR", "OMNI_DATA_DIR", "OMNI_OIDC_ISSUER"];
        let find = |given| nearest(given, known.into_iter());
        assert_eq!(find("OMNI_HTTP_ADR"), Some("OMNI_HTTP_ADDR"));
        assert_eq!(find("OMNI_DATADIR"), Some("OMNI_DATA_DIR"));
        assert_eq!(find("auth.issuer"), Some("OMNI_OIDC_ISSUER"));
        assert_eq!(find("OMNI_KUBERNETES"), None);
    }
}
