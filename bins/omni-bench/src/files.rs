//! Files as people upload them, and as those do who mean harm.

use std::io::{Cursor, Write};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::texts::Author;

/// How many characters a line of a page has, and how many lines a page.
const LINE: usize = 90;
const LINES: usize = 45;

/// A PDF of so many pages of text.
pub(crate) fn pdf(author: &mut Author, pages: usize) -> Vec<u8> {
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned();
    let kids: String = (0..pages).map(|page| format!("{} 0 R ", 4 + 2 * page)).collect();
    let tree = format!("<< /Type /Pages /Count {pages} /Kids [{kids}] >>");
    let mut objects = vec!["<< /Type /Catalog /Pages 2 0 R >>".to_owned(), tree, font];
    for page in 0..pages {
        let content = 5 + 2 * page;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {content} 0 R \
             /Resources << /Font << /F1 3 0 R >> >> >>"
        ));
        let written = page_of(author);
        objects.push(format!("<< /Length {} >>\nstream\n{written}\nendstream", written.len()));
    }
    assembled(&objects)
}

fn page_of(author: &mut Author) -> String {
    let text = author.text(LINE * LINES).replace('\n', " ");
    let mut page = "BT /F1 10 Tf 14 TL 40 750 Td\n".to_owned();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.len() + word.len() > LINE {
            page.push_str(&format!("({line}) Tj T*\n"));
            line.clear();
        }
        line.push_str(word);
        line.push(' ');
    }
    page.push_str(&format!("({line}) Tj ET"));
    page
}

/// The file that holds these objects, numbered from 1.
fn assembled(objects: &[String]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(objects) {
        table.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.extend_from_slice(format!("{number} 0 obj\n{object}\nendobj\n").as_bytes());
    }
    let start = file.len();
    let size = objects.len() + 1;
    file.extend_from_slice(
        format!("{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes(),
    );
    file
}

/// Files that are to cost as much as they can: what unpacks a thousandfold, contains itself, or never comes to an end.
pub(crate) fn hostile() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let depth = 200_000;
    let circle = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Count 100000 /Kids [3 0 R 3 0 R 3 0 R 3 0 R] >>".to_owned(),
        "<< /Type /Pages /Count 100000 /Kids [2 0 R 2 0 R 2 0 R 2 0 R] /Parent 2 0 R >>".to_owned(),
    ];
    let laughs: String = (1..10).fold("<!ENTITY a0 \"ha\">".to_owned(), |laughs, n| {
        let more = format!("&a{};", n - 1).repeat(10);
        format!("{laughs}<!ENTITY a{n} \"{more}\">")
    });
    let laughing = format!("<?xml version=\"1.0\"?><!DOCTYPE d [{laughs}]><d>&a9;</d>");
    Ok(vec![
        ("bomb.docx".to_owned(), packed("word/document.xml", &vec![b' '; 256 << 20])?),
        ("laughs.docx".to_owned(), packed("word/document.xml", laughing.as_bytes())?),
        ("bomb.xlsx".to_owned(), packed("xl/workbook.xml", &vec![b'<'; 64 << 20])?),
        ("many.epub".to_owned(), crowded(50_000)?),
        ("circle.pdf".to_owned(), assembled(&circle)),
        ("deep.html".to_owned(), format!("<html>{}", "<div><b><i>".repeat(depth)).into_bytes()),
        ("deep.json".to_owned(), "[".repeat(depth).into_bytes()),
        ("wide.csv".to_owned(), "a,".repeat(5 << 20).into_bytes()),
        ("garbage.pdf".to_owned(), [b"%PDF-1.7\n".as_slice(), &[0xff; 1 << 20]].concat()),
    ])
}

fn packed(name: &str, content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, SimpleFileOptions::default())?;
    archive.write_all(content)?;
    Ok(archive.finish()?.into_inner())
}

fn crowded(entries: usize) -> anyhow::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in 0..entries {
        archive.start_file(format!("{entry}.xhtml"), SimpleFileOptions::default())?;
    }
    Ok(archive.finish()?.into_inner())
}
