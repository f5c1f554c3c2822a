//! Containers that are made to be unpacked into too much, or into the wrong place.

use std::fs;
use std::path::Path;

use omni_documents::{Flaw, Format, Unreadable};

use crate::setting::{Part, Zip, deflated_zeros, read_bytes};

const DOCUMENT: &str = "<w:document xmlns:w='w'><w:body><w:p><w:r><w:t>words</w:t></w:r></w:p></w:body></w:document>";

fn docx() -> Zip {
    Zip::default().text("word/document.xml", DOCUMENT)
}

async fn flaw(name: &str, bytes: &[u8]) -> Flaw {
    match read_bytes(name, bytes).await {
        Err(Unreadable::Flaw(flaw)) => flaw,
        other => panic!("{name}: {other:?}"),
    }
}

fn bomb(megabytes: usize, declared_size: u32) -> Vec<u8> {
    let data = deflated_zeros(megabytes);
    let part = Part { name: "word/document.xml", method: 8, data: &data, declared_size, unix_mode: 0o100_644 };
    Zip::default().part(&part).finish()
}

#[tokio::test]
async fn an_honest_archive_made_by_the_same_hand_is_read() {
    assert_eq!(read_bytes("a.docx", &docx().finish()).await.unwrap().sections[0].text, "words");
}

#[tokio::test]
async fn four_gigabytes_in_four_megabytes_are_left_where_they_are() {
    let bytes = bomb(4095, 4095 << 20);
    assert_eq!(flaw("a.docx", &bytes).await, Flaw::Unpacks { limit: 200_000_000 });
}

/// A directory of 256 entries that all mean the same part: 4 GB in some 40 KB.
#[tokio::test]
async fn four_gigabytes_in_forty_kilobytes_are_left_where_they_are() {
    let data = deflated_zeros(16);
    let part = Part { name: "xl/workbook.xml", method: 8, data: &data, declared_size: 16 << 20, unix_mode: 0o100_644 };
    let names: Vec<_> = (0..255).map(|n| format!("xl/{n:03}")).collect();
    let zip = names.iter().fold(Zip::default().part(&part), |zip, name| zip.list(&Part { name, ..part }, 0, 0));
    let bytes = zip.finish();
    assert!(bytes.len() < 60_000, "{}", bytes.len());
    assert_eq!(flaw("a.xlsx", &bytes).await, Flaw::UnpacksTimes { limit: 200 });
}

#[tokio::test]
async fn a_small_file_may_not_unpack_to_hundreds_of_times_its_size() {
    let bytes = bomb(16, 16 << 20);
    assert_eq!(flaw("a.docx", &bytes).await, Flaw::UnpacksTimes { limit: 200 });
    // As above, with a header that says it unpacks to a hundred bytes.
    assert_eq!(flaw("a.docx", &bomb(16, 100)).await, Flaw::Damaged { format: Format::Docx });
}

#[tokio::test]
async fn a_million_entries_are_not_even_listed() {
    let part = Part { name: "a", method: 0, data: b"", declared_size: 0, unix_mode: 0o100_644 };
    let zip = docx().list_often(&part, 0, 0, 1_000_000);
    assert_eq!(flaw("a.docx", &zip.finish()).await, Flaw::TooManyParts { limit: 10_000 });
}

/// As above, with a number of entries in the end record that is a lie.
#[tokio::test]
async fn a_count_that_lies_gains_nothing() {
    let part = Part { name: "a", method: 0, data: b"", declared_size: 0, unix_mode: 0o100_644 };
    let mut bytes = docx().list_often(&part, 0, 0, 20_000).finish();
    let end = bytes.len() - 22;
    bytes[end + 8..end + 12].copy_from_slice(&[1, 0, 1, 0]);
    // It is read as the one part that it says it has, or not at all.
    match read_bytes("a.docx", &bytes).await {
        Ok(extract) => assert_eq!(extract.sections[0].text, "words"),
        Err(refusal) => assert!(matches!(refusal, Unreadable::Flaw(_)), "{refusal:?}"),
    }
}

#[tokio::test]
async fn names_that_lead_out_and_links_are_never_followed() {
    let outside = Path::new("/tmp/omni-documents-traversal");
    let link =
        Part { name: "word/styles.xml", method: 0, data: b"/etc/passwd", declared_size: 11, unix_mode: 0o120_777 };
    let bytes = docx()
        .text("../../../../../../tmp/omni-documents-traversal", "out")
        .text("/tmp/omni-documents-traversal", "out")
        .text("C:\\omni", "out")
        .text("nul\0byte", "out")
        .finish();
    assert_eq!(read_bytes("a.docx", &bytes).await.unwrap().sections[0].text, "words");
    assert!(!outside.exists());

    // A link is a part whose content is a path; as a style sheet that is no XML, and no style.
    let read = read_bytes("a.docx", &docx().part(&link).finish()).await;
    let root = fs::read_to_string("/etc/passwd").unwrap_or_default();
    match read {
        Ok(extract) => assert!(!root.is_empty() && extract.whole_text().text == "words"),
        Err(refusal) => assert!(matches!(refusal, Unreadable::Flaw(Flaw::Damaged { .. })), "{refusal:?}"),
    }
}

#[tokio::test]
async fn archives_in_archives_stay_closed() {
    let nested = (0..9).fold(docx().finish(), |inner, _| {
        let declared_size = inner.len().try_into().unwrap();
        let part = Part { name: "word/inner.zip", method: 0, data: &inner, declared_size, unix_mode: 0o100_644 };
        docx().part(&part).finish()
    });
    assert_eq!(read_bytes("a.docx", &nested).await.unwrap().sections[0].text, "words");
    let plain = Zip::default().text("notes.txt", "x").finish();
    assert_eq!(flaw("notes.zip", &plain).await, Flaw::Archive);
}

#[tokio::test]
async fn entities_are_not_expanded() {
    let laughs = "<!DOCTYPE w [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\"><!ENTITY c SYSTEM \"file:///etc/passwd\">]><w>&b;&c;</w>";
    let bytes = Zip::default().text("word/document.xml", laughs).finish();
    assert_eq!(flaw("a.docx", &bytes).await, Flaw::Entities);
}

#[tokio::test]
async fn deep_xml_and_missing_parts_are_refused() {
    let deep = Zip::default().text("word/document.xml", &"<w>".repeat(100_000)).finish();
    assert_eq!(flaw("a.docx", &deep).await, Flaw::TooDeep { limit: 256 });
    let hollow = Zip::default().text("ppt/presentation.xml", "<p/>").finish();
    assert_eq!(flaw("a.pptx", &hollow).await, Flaw::Damaged { format: Format::Pptx });
    let cut = docx().finish();
    assert_eq!(flaw("a.docx", &cut[..cut.len() / 2]).await, Flaw::Damaged { format: Format::Docx });
}

#[tokio::test]
async fn two_far_cells_are_two_cells_and_a_million_are_too_many() {
    let book = |sheet: &str| {
        Zip::default()
            .text("[Content_Types].xml", "<Types/>")
            .text(
                "_rels/.rels",
                "<Relationships><Relationship Id='r0' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument' Target='xl/workbook.xml'/></Relationships>",
            )
            .text("xl/workbook.xml", "<workbook xmlns:r='r'><sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>")
            .text(
                "xl/_rels/workbook.xml.rels",
                "<Relationships><Relationship Id='r1' Type='http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet' Target='worksheets/sheet1.xml'/></Relationships>",
            )
            .text("xl/worksheets/sheet1.xml", &format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>"))
            .finish()
    };
    let far = book("<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>2</v></c></row>");
    assert_eq!(read_bytes("a.xlsx", &far).await.unwrap().whole_text().text.split_whitespace().last(), Some("2"));
    let many = "1,".repeat(1000) + "\n";
    assert_eq!(flaw("a.csv", many.repeat(1000).as_bytes()).await, Flaw::TooManyCells { limit: 1_000_000 });
}
