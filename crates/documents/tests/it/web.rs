//! What can be asked for of a web page.

use omni_documents::{Extract, Flaw, ParseRequest, Unreadable};

use crate::setting::{parser, read_bytes, sample, stored};

async fn page(request: ParseRequest) -> Result<Extract, Unreadable> {
    parser().parse(&sample("page.html"), ParseRequest { file_name: Some("page.html".to_owned()), ..request }).await
}

fn text(extract: &Extract) -> String {
    extract.whole_text().text
}

#[tokio::test]
async fn a_selector_takes_what_matches_once_and_all_links_stay() {
    let request = ParseRequest { selector: Some("article ul, article li".to_owned()), ..ParseRequest::default() };
    let extract = page(request).await.unwrap();
    assert_eq!(text(&extract), "- Roses: daily\n- Tomatoes: twice");
    assert_eq!(extract.web.unwrap().links, ["/", "roses.html"]);
}

#[tokio::test]
async fn selectors_that_are_none_or_match_nothing_say_so() {
    for (selector, flaw) in [("p[", Flaw::Selector), ("aside", Flaw::SelectorMatchesNothing)] {
        let refusal = page(ParseRequest { selector: Some(selector.to_owned()), ..ParseRequest::default() }).await;
        assert!(matches!(&refusal, Err(Unreadable::Flaw(found)) if *found == flaw), "{refusal:?}");
    }
}

#[tokio::test]
async fn main_text_leaves_menus_and_imprint_out() {
    let extract = page(ParseRequest { main_text: true, ..ParseRequest::default() }).await.unwrap();
    let text = text(&extract);
    assert!(text.contains("watered every evening") && text.contains("Rose | 2"), "{text}");
    assert!(!text.contains("Imprint") && !text.contains("Home"), "{text}");
}

#[tokio::test]
async fn the_encoding_comes_from_the_server_or_from_the_page() {
    let (_directory, file) = stored(b"<p>\xE4");
    let request = ParseRequest { charset: Some("windows-1251".to_owned()), ..ParseRequest::named("a.html") };
    assert_eq!(text(&parser().parse(&file, request).await.unwrap()), "д");
    let own = read_bytes("a.html", b"<meta charset='iso-8859-5'><p>\xD4").await.unwrap();
    assert_eq!(text(&own), "д");
}

/// A reader that called itself for each level would overflow its stack.
#[tokio::test]
async fn a_page_may_be_as_deep_as_it_likes() {
    let deep = format!("{}bottom", "<div>".repeat(2_000));
    assert_eq!(text(&read_bytes("a.html", deep.as_bytes()).await.unwrap()), "bottom");
}
