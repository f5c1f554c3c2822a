//! The rules of cutting, for any text.

use omni_documents::{Chunk, ChunkRules, Chunker, Extract, Section, estimate_tokens};
use proptest::prelude::*;
use serde_json::json;

fn extract(sections: Vec<Section>) -> Extract {
    let mut extract: Extract = serde_json::from_value(json!({ "format": "text", "sections": [] })).unwrap();
    extract.sections = sections;
    extract
}

fn section(text: &str, page: Option<u32>, headings: &[&str]) -> Section {
    Section { text: text.to_owned(), page, headings: headings.iter().map(|&heading| heading.to_owned()).collect() }
}

fn cut(sections: Vec<Section>, max: usize, overlap: usize) -> Vec<Chunk> {
    Chunker::new(ChunkRules::new(max, overlap).unwrap()).chunks(&extract(sections))
}

fn texts(chunks: &[Chunk]) -> Vec<&str> {
    chunks.iter().map(|chunk| chunk.text.as_str()).collect()
}

#[test]
fn rules_that_cannot_be_kept_are_refused() {
    assert_eq!(ChunkRules::new(15, 0).unwrap_err().field, "max_tokens");
    assert_eq!(ChunkRules::new(100, 51).unwrap_err().field, "overlap_tokens");
    assert_eq!((ChunkRules::default().max_tokens(), ChunkRules::default().overlap_tokens()), (400, 40));
}

#[test]
fn a_cut_is_made_at_the_paragraph_before_the_sentence() {
    let paragraph = "One two three four five. Six seven eight nine ten.";
    let chunks = cut(vec![section(&[paragraph; 3].join("\n\n"), None, &[])], 30, 0);
    assert_eq!(texts(&chunks), [[paragraph; 2].join("\n\n"), paragraph.to_owned()]);
    let chunks = cut(vec![section(paragraph, None, &[])], 16, 0);
    assert_eq!(texts(&chunks), [paragraph]);
    let chunks = cut(vec![section(&[paragraph; 2].join(" "), None, &[])], 16, 0);
    assert_eq!(texts(&chunks), [paragraph; 2]);
}

#[test]
fn an_overlap_repeats_whole_words_of_the_chunk_before() {
    let words: Vec<_> = (0..60).map(|n| ["alpha", "beta", "gamma", "delta"][n % 4]).collect();
    let chunks = cut(vec![section(&words.join(" "), None, &[])], 20, 5);
    assert!(chunks.len() > 3);
    for pair in chunks.windows(2) {
        let shared = pair[0].end.saturating_sub(pair[1].start);
        assert!((10..=40).contains(&shared), "{shared}: {pair:?}");
        let repeated: String = pair[1].text.chars().take(shared).collect();
        assert!(pair[0].text.ends_with(&repeated), "{pair:?}");
        assert!(estimate_tokens(&repeated) <= 5, "{repeated}");
    }
}

#[test]
fn pages_are_never_joined_and_only_tiny_neighbours_cross_a_heading() {
    let long = "word ".repeat(30);
    let sections = vec![
        section("A", Some(1), &["One", "A"]),
        section("B", Some(1), &["One", "B"]),
        section(&long, Some(1), &["One", "C"]),
        section("D", Some(2), &["One"]),
        section("E", Some(3), &["One"]),
    ];
    let chunks = cut(sections, 100, 0);
    let shown: Vec<_> = chunks.iter().map(|c| (c.text.trim().len(), c.page, c.headings.join("/"))).collect();
    assert_eq!(
        shown,
        [
            (4, Some(1), "One".to_owned()),
            (149, Some(1), "One/C".to_owned()),
            (1, Some(2), "One".to_owned()),
            (1, Some(3), "One".to_owned())
        ]
    );
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "([A-Za-zäß]{1,12}[ .,!?\n]{1,3}){1,60}",
        1 => "[A-Za-z0-9]{0,400}",
        1 => "[一-龥。]{0,200}",
        1 => "\\PC{0,200}",
        1 => "[ \n\t]{0,30}",
    ]
}

fn any_section() -> impl Strategy<Value = Section> {
    (any_text(), prop::option::of(1_u32..4), prop::collection::vec("[ab]", 0..3))
        .prop_map(|(text, page, headings)| Section { text, page, headings })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn ranges_are_exact_nothing_is_lost_and_no_chunk_is_too_large(
        sections in prop::collection::vec(any_section(), 0..8),
        max in 16_usize..120,
        overlap in 0_usize..8,
    ) {
        let extract = extract(sections);
        let rules = ChunkRules::new(max, overlap).unwrap();
        let chunks = Chunker::new(rules).chunks(&extract);
        let whole: Vec<char> = extract.whole_text().text.chars().collect();
        let mut covered = 0;
        for chunk in &chunks {
            let slice: String = whole[chunk.start..chunk.end].iter().collect();
            prop_assert_eq!(&slice, &chunk.text);
            prop_assert_eq!(chunk.text.trim(), &chunk.text);
            prop_assert!(!chunk.text.is_empty());
            prop_assert!(estimate_tokens(&chunk.text) <= max, "{} > {}: {:?}", estimate_tokens(&chunk.text), max, chunk);
            prop_assert!(chunk.end > covered, "a chunk of nothing new: {:?}", chunk);
            let lost: String = whole[covered.min(chunk.start)..chunk.start].iter().collect();
            prop_assert!(lost.trim().is_empty(), "lost {:?}", lost);
            let repeated: String = whole[chunk.start..covered.max(chunk.start)].iter().collect();
            prop_assert!(estimate_tokens(&repeated) <= overlap, "repeats {:?}", repeated);
            covered = chunk.end;
        }
        let rest: String = whole[covered..].iter().collect();
        prop_assert!(rest.trim().is_empty(), "lost {:?}", rest);
    }
}
