//! Images that a person shows to a model.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use omni_domain::ErrorKind;

use crate::chat::{ChatRequest, Role};

/// An image: PNG, JPEG or WebP, which every provider reads, or GIF, which all but Google read.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    media_type: &'static str,
    bytes: Bytes,
}

impl Image {
    /// The most images in a request.
    pub const MOST: usize = 16;
    /// The most bytes of an image. In base64 this is 5 MiB, the least that any provider takes (Anthropic's).
    pub const MOST_BYTES: usize = 5 * 1024 * 1024 / 4 * 3;
    /// The most bytes of all images in a request. In base64 this is 16 MiB; Gemini takes requests of 20 MB.
    pub const MOST_BYTES_TOGETHER: usize = 12 * 1024 * 1024;

    /// Takes the bytes of an image file. What kind it is of is read from them, whatever its name or its sender says.
    ///
    /// # Errors
    /// [`ImageProblem::Unknown`] and [`ImageProblem::TooLarge`].
    pub fn new(bytes: impl Into<Bytes>) -> Result<Self, ImageProblem> {
        let bytes = bytes.into();
        if bytes.len() > Self::MOST_BYTES {
            return Err(ImageProblem::TooLarge);
        }
        let media_type = media_type_of(&bytes).ok_or(ImageProblem::Unknown)?;
        Ok(Self { media_type, bytes })
    }

    /// The media type, such as `image/png`.
    #[must_use]
    pub const fn media_type(&self) -> &'static str {
        self.media_type
    }

    /// The bytes of the file.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The bytes in base64, as JSON carries them.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    /// The whole image as a `data:` URL (RFC 2397).
    pub(crate) fn data_url(&self) -> String {
        let mut url = format!("data:{};base64,", self.media_type);
        STANDARD.encode_string(&self.bytes, &mut url);
        url
    }
}

impl fmt::Debug for Image {
    /// Without the bytes, which nobody can read in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image").field("media_type", &self.media_type).field("bytes", &self.bytes.len()).finish()
    }
}

/// Reads the signature of a file, as the MIME Sniffing standard does
/// (<https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern>).
fn media_type_of(bytes: &[u8]) -> Option<&'static str> {
    let of_riff = bytes.strip_prefix(b"RIFF").and_then(|rest| rest.get(4..));
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some("image/gif")
    } else if of_riff.is_some_and(|kind| kind.starts_with(b"WEBPVP")) {
        Some("image/webp")
    } else {
        None
    }
}

/// Why an image is not sent to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageProblem {
    /// It is none, or of a kind that hardly any provider reads.
    #[error("it is neither PNG, JPEG, GIF nor WebP; convert it to one of them")]
    Unknown,
    /// One image is too large.
    #[error("it is larger than {} bytes; make it smaller", Image::MOST_BYTES)]
    TooLarge,
    /// There are too many in one request.
    #[error("a request may show at most {} images; leave some out", Image::MOST)]
    TooMany,
    /// All of them together are too large.
    #[error("the images of a request may have at most {} bytes together; leave some out", Image::MOST_BYTES_TOGETHER)]
    TooLargeTogether,
    /// It is in a message of the model, which no provider takes.
    #[error("only a message of the person can show one")]
    NotOfPerson,
    /// The model surely sees none.
    #[error("this model cannot see; choose an AI service whose model can")]
    NotSeen,
}

impl ImageProblem {
    pub(crate) const fn kind(self) -> ErrorKind {
        match self {
            Self::Unknown => ErrorKind::Unsupported,
            Self::TooLarge | Self::TooMany | Self::TooLargeTogether => ErrorKind::TooLarge,
            Self::NotOfPerson | Self::NotSeen => ErrorKind::Invalid,
        }
    }
}

/// Whether the images of a request may be sent.
pub(crate) fn check_images(request: &ChatRequest) -> Result<(), ImageProblem> {
    let mut count: usize = 0;
    let mut bytes: usize = 0;
    for message in request.messages.iter().filter(|message| !message.images.is_empty()) {
        if message.role != Role::User {
            return Err(ImageProblem::NotOfPerson);
        }
        count = count.saturating_add(message.images.len());
        bytes = message.images.iter().map(|image| image.bytes.len()).fold(bytes, usize::saturating_add);
    }
    if count > Image::MOST {
        return Err(ImageProblem::TooMany);
    }
    if bytes > Image::MOST_BYTES_TOGETHER {
        return Err(ImageProblem::TooLargeTogether);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ChatMessage;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

    fn png(length: usize) -> Image {
        let mut bytes = PNG.to_vec();
        bytes.resize(length, 0);
        Image::new(bytes).unwrap()
    }

    #[test]
    fn the_kind_is_read_from_the_bytes() {
        for (bytes, media_type) in [
            (PNG, "image/png"),
            (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
            (b"GIF89a\x01\x00", "image/gif"),
            (b"GIF87a", "image/gif"),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        ] {
            assert_eq!(Image::new(bytes).unwrap().media_type(), media_type);
        }
        for bytes in [b"".as_slice(), b"<svg xmlns=", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"%PDF-1.7", b"\x89PNG", b"RIFF"]
        {
            assert_eq!(Image::new(bytes).unwrap_err(), ImageProblem::Unknown);
        }
    }

    #[test]
    fn what_is_too_much_is_refused() {
        assert_eq!(Image::new(vec![0; Image::MOST_BYTES + 1]).unwrap_err(), ImageProblem::TooLarge);
        let check = |messages| check_images(&ChatRequest::new(messages));
        let shown = |images| ChatMessage::user("?").with_images(images);
        assert_eq!(check(vec![shown(vec![png(8); Image::MOST]), ChatMessage::user("?")]), Ok(()));
        let halves = vec![png(8); Image::MOST / 2 + 1];
        assert_eq!(check(vec![shown(halves.clone()), shown(halves)]), Err(ImageProblem::TooMany));
        assert_eq!(check(vec![shown(vec![png(Image::MOST_BYTES); 4])]), Err(ImageProblem::TooLargeTogether));
        let of_model = ChatMessage::assistant("here").with_images(vec![png(8)]);
        assert_eq!(check(vec![of_model]), Err(ImageProblem::NotOfPerson));
    }

    #[test]
    fn images_are_not_written_to_logs() {
        assert_eq!(format!("{:?}", png(1_000)), r#"Image { media_type: "image/png", bytes: 1000 }"#);
        assert_eq!(png(8).data_url(), "data:image/png;base64,iVBORw0KGgo=");
    }
}
