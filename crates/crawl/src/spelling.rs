//! What different spellings of one page differ in.

use url::{Position, Url};

/// Query parameters that say where a visitor came from and change nothing of the page: the click ids of Google, Meta,
/// Microsoft, Yandex, Twitter, TikTok, LinkedIn and Mailchimp. Sorted, lower case.
const CLICK_IDS: [&str; 15] = [
    "_openstat",
    "dclid",
    "fbclid",
    "gbraid",
    "gclid",
    "gclsrc",
    "igshid",
    "li_fat_id",
    "mc_cid",
    "mc_eid",
    "msclkid",
    "ttclid",
    "twclid",
    "wbraid",
    "yclid",
];

/// The URL without the slash at the end of its path, if there is one to take away.
pub(crate) fn identity(url: &Url) -> Option<Box<str>> {
    let path = url.path().strip_suffix('/').filter(|path| !path.is_empty())?;
    Some([&url[..Position::BeforePath], path, &url[Position::AfterPath..]].concat().into())
}

/// A run of slashes leads where one slash leads, on all servers but a few.
pub(crate) fn collapse_slashes(url: &mut Url) {
    if !url.path().contains("//") {
        return;
    }
    let mut collapsed = String::with_capacity(url.path().len());
    for letter in url.path().chars() {
        if letter != '/' || !collapsed.ends_with('/') {
            collapsed.push(letter);
        }
    }
    url.set_path(&collapsed);
}

/// Takes the parameters away that say nothing about the page, and a query that has no others.
pub(crate) fn drop_tracking(url: &mut Url) {
    let Some(query) = url.query() else { return };
    let mut kept = String::with_capacity(query.len());
    for (nth, parameter) in query.split('&').filter(|parameter| !is_tracking(parameter)).enumerate() {
        if nth > 0 {
            kept.push('&');
        }
        kept.push_str(parameter);
    }
    url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
}

fn is_tracking(parameter: &str) -> bool {
    let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
    let name = name.to_ascii_lowercase();
    name.starts_with("utm_") || CLICK_IDS.binary_search(&name.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::CLICK_IDS;

    #[test]
    fn the_list_is_sorted_as_the_search_needs() {
        assert!(CLICK_IDS.is_sorted());
    }
}
