//! Pictures of text. What needs tesseract says so and passes where it is not installed.

use omni_documents::{Flaw, Format, Ocr, OcrSettings, Unreadable};
use omni_domain::Failure;

use crate::setting::{sample, stored, supervisor};

/// `None`, and a line that says why, if the programs are not installed.
async fn installed() -> Option<Ocr> {
    match Ocr::find(&supervisor("worker"), &OcrSettings { background: false, ..OcrSettings::default() }).await {
        Ok(ocr) => Some(ocr),
        Err(missing @ (Unreadable::OcrMissing { .. } | Unreadable::OcrLanguage { .. })) => {
            println!("SKIPPED: {missing}");
            None
        }
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn without_tesseract_it_says_what_to_install() {
    let settings = OcrSettings { search: vec!["/nowhere".into()], ..OcrSettings::default() };
    let missing = Ocr::find(&supervisor("worker"), &settings).await.unwrap_err();
    assert_eq!(missing.code(), "ocr_not_installed");
    assert!(missing.to_string().contains("tesseract-ocr"), "{missing}");
}

#[tokio::test]
async fn pictures_of_every_format_are_read() {
    let Some(ocr) = installed().await else { return };
    for (name, format) in [
        ("words.png", Format::Png),
        ("words.jpg", Format::Jpeg),
        ("words.tif", Format::Tiff),
        ("words.bmp", Format::Bmp),
        ("words.gif", Format::Gif),
        ("words.webp", Format::Webp),
    ] {
        let sections = ocr.image(&sample(name), format).await.unwrap();
        assert!(sections[0].text.contains("The grant comes first."), "{name}: {sections:?}");
        assert!(sections[0].text.contains("4711"), "{name}: {sections:?}");
    }
}

#[tokio::test]
async fn a_page_of_a_pdf_without_text_is_drawn_and_read() {
    let Some(ocr) = installed().await else { return };
    let sections = match ocr.pdf_pages(&sample("rules.pdf"), &[2]).await {
        Err(missing @ Unreadable::OcrMissing { .. }) => return println!("SKIPPED: {missing}"),
        other => other.unwrap(),
    };
    assert_eq!((sections.len(), sections[0].page), (1, Some(2)));
    assert!(sections[0].text.contains("Invoice number 4711"), "{sections:?}");
    assert!(matches!(ocr.pdf_pages(&sample("rules.pdf"), &[9]).await, Err(Unreadable::OcrFailed)));
}

#[tokio::test]
async fn a_language_without_data_is_named() {
    if installed().await.is_none() {
        return;
    }
    let settings = OcrSettings { languages: vec!["eng".to_owned(), "tlh".to_owned()], ..OcrSettings::default() };
    let missing = Ocr::find(&supervisor("worker"), &settings).await.unwrap_err();
    assert!(missing.to_string().contains("\"tlh\""), "{missing}");
}

#[tokio::test]
async fn a_picture_that_is_too_large_or_none_is_not_given_to_the_program() {
    let Some(ocr) = installed().await else { return };
    let huge = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0";
    let (_directory, file) = stored(huge);
    let refusal = ocr.image(&file, Format::Png).await.unwrap_err();
    assert!(matches!(refusal, Unreadable::Flaw(Flaw::TooManyPixels)), "{refusal:?}");
    let (_directory, file) = stored(b"GIF89a not really");
    let refusal = ocr.image(&file, Format::Png).await.unwrap_err();
    assert_eq!(refusal.to_string(), "this is a GIF, not a PNG");
}
