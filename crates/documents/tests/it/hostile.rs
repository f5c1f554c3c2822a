//! Files that are broken, or made to break their reader.

use omni_documents::{Flaw, Format, ParseLimits, ParseRequest, Parser, Unreadable};

use crate::setting::{deflated_zeros, patient, read_bytes, sample, stored, supervisor};

/// Whatever it is, it is told as something about the file.
async fn refused(name: &str, bytes: &[u8]) -> Unreadable {
    let refusal = read_bytes(name, bytes).await.unwrap_err();
    let about_the_file = matches!(
        refusal,
        Unreadable::Flaw(_)
            | Unreadable::TookTooLong { .. }
            | Unreadable::TookTooMuchProcessorTime { .. }
            | Unreadable::TookTooMuchMemory { .. }
            | Unreadable::Crashed
    );
    assert!(about_the_file, "{name}: {refusal:?}");
    refusal
}

fn is_flaw(refusal: &Unreadable, expected: &Flaw) -> bool {
    matches!(refusal, Unreadable::Flaw(flaw) if flaw == expected)
}

/// A PDF of these objects, with a table of where they are.
fn pdf(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (n, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n", n + 1).as_bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let table = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
    for offset in offsets {
        bytes.extend(format!("{offset:010} 00000 n \n").as_bytes());
    }
    let trailer = format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    bytes.extend(trailer.as_bytes());
    bytes
}

fn object(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

#[tokio::test]
async fn empty_files_and_garbage_are_named_as_such() {
    assert!(is_flaw(&refused("a.pdf", b"").await, &Flaw::Empty));
    assert!(is_flaw(&refused("a.txt", b" \n\t ").await, &Flaw::NoText));
    assert!(is_flaw(&refused("a", b"\x00\x01\x02garbage").await, &Flaw::Unknown));
    assert!(is_flaw(&refused("a.json", b"{\"a\":").await, &Flaw::Damaged { format: Format::Json }));
    let noise: Vec<u8> = (0..100_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for start in [&b"%PDF-1.7\n"[..], b"PK\x03\x04"] {
        let bytes = [start, &noise].concat();
        refused(if start[0] == b'%' { "a.pdf" } else { "a.docx" }, &bytes).await;
    }
}

#[tokio::test]
async fn a_pdf_that_was_cut_off_is_damaged_or_read_as_far_as_it_goes() {
    let whole = std::fs::read(sample("rules.pdf")).unwrap();
    for part in [20, whole.len() / 4, whole.len() / 2] {
        if let Err(refusal) = read_bytes("a.pdf", &whole[..part]).await {
            assert!(is_flaw(&refusal, &Flaw::Damaged { format: Format::Pdf }), "{part}: {refusal:?}");
        }
    }
}

#[tokio::test]
async fn pages_that_contain_themselves_end() {
    let cyclic = pdf(&[
        object("<</Type/Catalog/Pages 2 0 R>>"),
        object("<</Type/Pages/Count 1/Kids[2 0 R 3 0 R]/Parent 3 0 R>>"),
        object("<</Type/Pages/Count 1/Kids[2 0 R]/Parent 2 0 R>>"),
    ]);
    refused("a.pdf", &cyclic).await;
    let page = pdf(&[
        object("<</Type/Catalog/Pages 2 0 R>>"),
        object("<</Type/Pages/Count 1/Kids[3 0 R]/Parent 3 0 R>>"),
        object("<</Type/Page/Parent 2 0 R/Contents 3 0 R/Resources 4 0 R>>"),
        object("4 0 R"),
    ]);
    refused("a.pdf", &page).await;
}

#[tokio::test]
async fn a_pdf_of_a_hundred_thousand_pages_is_not_read() {
    let kids: String = (3..100_003).map(|n| format!("{n} 0 R ")).collect();
    let mut objects =
        vec![object("<</Type/Catalog/Pages 2 0 R>>"), object(&format!("<</Type/Pages/Count 100000/Kids[{kids}]>>"))];
    objects.resize(100_002, object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"));
    let many = pdf(&objects);
    assert!(is_flaw(&refused("a.pdf", &many).await, &Flaw::TooManyPages { limit: 5000 }));
}

/// A page of 1 MB that draws a gigabyte of nothing.
#[tokio::test]
async fn a_pdf_stream_that_unpacks_a_thousandfold_is_given_up() {
    let zeros = deflated_zeros(1024);
    // PDF wants the header of zlib before the stream.
    let mut stream = format!("<</Filter/FlateDecode/Length {}>>\nstream\n", zeros.len() + 2).into_bytes();
    stream.extend(b"\x78\xDA");
    stream.extend(zeros);
    stream.extend(b"\nendstream");
    let bomb = pdf(&[
        object("<</Type/Catalog/Pages 2 0 R>>"),
        object("<</Type/Pages/Count 1/Kids[3 0 R]>>"),
        object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"),
        stream,
    ]);
    assert!(bomb.len() < 1_500_000, "{}", bomb.len());
    let refusal = refused("a.pdf", &bomb).await;
    assert!(matches!(refusal, Unreadable::TookTooMuchMemory { .. }), "{refusal:?}");
}

#[tokio::test]
async fn more_text_or_more_bytes_than_the_limits_are_refused() {
    let limits = ParseLimits { text_bytes: 1000, file_bytes: 10_000, ..patient() };
    let parser = Parser::new(supervisor("worker"), limits).unwrap();
    for (length, flaw) in [(2000, Flaw::TooMuchText { limit: 1000 }), (10_001, Flaw::TooLarge { limit: 10_000 })] {
        let (_directory, file) = stored("x".repeat(length).as_bytes());
        let refusal = parser.parse(&file, ParseRequest::named("a.txt")).await.unwrap_err();
        assert!(is_flaw(&refusal, &flaw), "{refusal:?}");
    }
}
