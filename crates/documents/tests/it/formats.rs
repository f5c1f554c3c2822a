//! One small real file of each format.

use insta::assert_json_snapshot;
use omni_documents::{Flaw, ParseRequest, Unreadable};
use omni_domain::Failure;

use crate::setting::{parser, read_bytes, read_sample, sample};

macro_rules! reads {
    ($($test:ident: $file:literal,)*) => {$(
        #[tokio::test]
        async fn $test() {
            assert_json_snapshot!(stringify!($test), read_sample($file).await.unwrap());
        }
    )*};
}

reads! {
    pdf: "rules.pdf",
    docx: "manual.docx",
    pptx: "plan.pptx",
    xlsx: "accounts.xlsx",
    odt: "letter.odt",
    epub: "novel.epub",
    email: "key.eml",
    html: "page.html",
    markdown: "notes.md",
}

#[tokio::test]
async fn plain_text_csv_and_json() {
    let text = read_bytes("a.txt", "Grüße\r\n\r\nzweiter Absatz\0".replace('\0', "").as_bytes()).await.unwrap();
    assert_eq!(text.sections[0].text, "Grüße\n\nzweiter Absatz");
    let old = read_bytes("a.txt", b"Gr\xFC\xDFe").await.unwrap();
    assert_eq!(old.sections[0].text, "Grüße");
    let csv = read_bytes("a.csv", b"name;price\r\n\"a; b\";1,5\r\n;2\r\n").await.unwrap();
    assert_eq!(csv.sections[0].text, "name | price\na; b | 1,5\n | 2");
    let json = read_bytes("a.json", br#"{"a":[1,2],"b":"x"}"#).await.unwrap();
    assert_eq!(json.sections[0].text, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": \"x\"\n}");
}

#[tokio::test]
async fn a_pdf_behind_a_password_says_so() {
    let refusal = read_sample("encrypted.pdf").await.unwrap_err();
    assert_eq!(refusal.to_string(), "the file is encrypted; remove its password");
    assert_eq!(refusal.code(), "file_encrypted");
}

#[tokio::test]
async fn a_picture_is_sent_to_ocr() {
    let refusal = read_sample("words.png").await.unwrap_err();
    assert!(matches!(&refusal, Unreadable::Flaw(Flaw::Picture { .. })), "{refusal}");
    assert!(refusal.to_string().contains("OCR"), "{refusal}");
}

#[tokio::test]
async fn a_file_under_another_name_is_found_out_without_being_read() {
    let refusal = parser().parse(&sample("words.png"), ParseRequest::named("report.pdf")).await.unwrap_err();
    assert_eq!(refusal.to_string(), "this is a PNG, not a PDF");
    let refusal = parser().parse(&sample("manual.docx"), ParseRequest::named("manual.xlsx")).await.unwrap_err();
    assert_eq!(refusal.to_string(), "this is a Word document (.docx), not an Excel workbook (.xlsx)");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_our_problem() {
    let refusal = parser().parse("/no/such/file".as_ref(), ParseRequest::default()).await.unwrap_err();
    assert_eq!((refusal.code(), refusal.to_string().as_str()), ("file_not_opened", "the file cannot be opened"));
}
