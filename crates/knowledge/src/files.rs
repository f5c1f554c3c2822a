//! The files of repositories: how they come in, and what people do with them.

use std::collections::HashSet;

use omni_blobs::{BlobDraft, BlobHash, BlobReader, BlobWriter, Swept};
use omni_documents::{Format, SNIFFED_BYTES, Unreadable};
use omni_domain::{Document, DocumentId, FolderId, Invalid, Page, PageRequest, RepositoryId, Text, Work};
use omni_persistence::{FileFilter, FilePatch, FileProgress, NewFile, StoreError};
use omni_rbac::{Editor, Grant, SystemGrant, Viewer};
use serde_json::{Map, Value};

use crate::texts::check_metadata;
use crate::{Knowledge, KnowledgeError};

/// What people mean by a megabyte of a file.
const MEGABYTE: u64 = 1_000_000;

/// A file on its way in. Dropping it leaves nothing.
#[derive(Debug)]
pub struct Incoming {
    name: String,
    writer: BlobWriter,
    /// The first bytes, until they have said what the file is.
    head: Vec<u8>,
    format: Option<Format>,
}

/// A file that has arrived whole, and is of a kind that can be read. It is not kept yet: dropping it leaves nothing.
#[derive(Debug)]
pub struct Received {
    /// What its sender calls it, without folders.
    pub name: String,
    /// What it is.
    pub format: Format,
    pub(crate) draft: BlobDraft,
}

impl Incoming {
    /// Takes more of the file.
    ///
    /// # Errors
    /// If it is too large, of a kind that is not read, or the disk is full.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), KnowledgeError> {
        if self.format.is_none() {
            let missing = SNIFFED_BYTES.saturating_sub(self.head.len());
            self.head.extend(piece.iter().take(missing));
            if self.head.len() >= SNIFFED_BYTES {
                self.judge()?;
            }
        }
        Ok(self.writer.write(piece).await?)
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub async fn finish(mut self) -> Result<Received, KnowledgeError> {
        let format = match self.format {
            Some(format) => format,
            None => self.judge()?,
        };
        Ok(Received { name: self.name, format, draft: self.writer.whole().await? })
    }

    fn judge(&mut self) -> Result<Format, KnowledgeError> {
        let format = Format::detect(&self.head, Some(&self.name)).map_err(Unreadable::Flaw)?;
        self.format = Some(format);
        self.head = Vec::new();
        Ok(format)
    }
}

impl Knowledge {
    /// The most bytes of one file, for the grant's app.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn upload_limit(&self, grant: &Grant<Viewer>) -> Result<u64, KnowledgeError> {
        let server = self.parts.upload_limit;
        Ok(match self.parts.store.max_file_size_mb(grant).await? {
            0 => server,
            megabytes => megabytes.saturating_mul(MEGABYTE).min(server),
        })
    }

    /// Begins to take a file in that its sender calls `name`, of at most `limit` bytes.
    ///
    /// # Errors
    /// If the name is none.
    pub fn receive(&self, name: &str, limit: u64) -> Result<Incoming, KnowledgeError> {
        let writer = self.parts.blobs.writer().at_most(limit);
        Ok(Incoming { name: file_name("file", name)?, writer, head: Vec::new(), format: None })
    }

    /// Puts files into a repository, and has them kept and taken in: all of them or none.
    ///
    /// # Errors
    /// If there is no such repository, it has no such folder, or no filter could go by the metadata.
    pub async fn add_files(
        &self,
        grant: &Grant<Editor>,
        repository: RepositoryId,
        folder: Option<FolderId>,
        metadata: Map<String, Value>,
        mut files: Vec<Received>,
    ) -> Result<Vec<Document>, KnowledgeError> {
        let metadata = check_metadata(metadata)?;
        // The disk takes its time, and no transaction waits for that.
        for file in &mut files {
            file.draft.flush().await?;
        }
        let new = |file: &Received| NewFile {
            name: file.name.clone(),
            media_type: file.format.media_type().to_owned(),
            blob: *file.draft.hash().as_bytes(),
            bytes: file.draft.bytes(),
            metadata: metadata.clone(),
        };
        let new: Vec<NewFile> = files.iter().map(new).collect();
        let keeping = async {
            for file in files {
                file.draft.keep().await?;
            }
            Ok::<(), KnowledgeError>(())
        };
        let now = self.parts.clock.now();
        let made = self.parts.store.add_files(grant, (repository, folder), &new, now, keeping).await?;
        self.wake();
        Ok(made)
    }

    /// One page of a repository's files.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn list_files(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        filter: &FileFilter,
        page: PageRequest,
    ) -> Result<Page<Document>, KnowledgeError> {
        Ok(self.parts.store.list_files(grant, repository, filter, page).await?)
    }

    /// A file of a repository.
    ///
    /// # Errors
    /// If there is none.
    pub async fn find_file(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        id: DocumentId,
    ) -> Result<Document, KnowledgeError> {
        Ok(self.parts.store.find_file(grant, repository, id).await?)
    }

    /// A file, and what is in it.
    ///
    /// # Errors
    /// If there is no such file.
    pub async fn read_file(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        id: DocumentId,
    ) -> Result<(Document, BlobReader), KnowledgeError> {
        let document = self.find_file(grant, repository, id).await?;
        let hash = document.blob.map(BlobHash::new).ok_or(StoreError::NotFound)?;
        let reader = self.parts.blobs.reader(&hash).await?;
        Ok((document, reader))
    }

    /// Changes what a file is called, where it is, or what is known of it.
    ///
    /// # Errors
    /// If there is no such file or folder, the name is none, or no filter could go by the metadata.
    pub async fn update_file(
        &self,
        grant: &Grant<Editor>,
        repository: RepositoryId,
        id: DocumentId,
        change: FilePatch,
    ) -> Result<Document, KnowledgeError> {
        let name = change.name.map(|name| file_name("name", &name)).transpose()?;
        let metadata = change.metadata.map(check_metadata).transpose()?;
        let patch = FilePatch { name, metadata, ..change };
        let changed = self.parts.store.update_file(grant, repository, id, &patch, self.parts.clock.now()).await?;
        self.wake();
        Ok(changed)
    }

    /// Removes a file and all that is known of it.
    ///
    /// # Errors
    /// If there is no such file.
    pub async fn delete_file(
        &self,
        grant: &Grant<Editor>,
        repository: RepositoryId,
        id: DocumentId,
    ) -> Result<(), KnowledgeError> {
        self.parts.store.delete_file(grant, repository, id).await?;
        self.something_was_deleted();
        Ok(())
    }

    /// Takes a file in once more. If it is being taken in, that is what was asked for.
    ///
    /// # Errors
    /// If there is no such file.
    pub async fn retry_file(
        &self,
        grant: &Grant<Editor>,
        repository: RepositoryId,
        id: DocumentId,
    ) -> Result<Document, KnowledgeError> {
        match self.parts.store.retry_file(grant, repository, id, self.parts.clock.now()).await {
            Ok((document, _)) => {
                self.wake();
                Ok(document)
            }
            Err(StoreError::JobActive(_)) => self.find_file(&grant.at(), repository, id).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Stops the taking in of a file, if it is being taken in.
    ///
    /// # Errors
    /// If there is no such file.
    pub async fn cancel_file(
        &self,
        grant: &Grant<Editor>,
        repository: RepositoryId,
        id: DocumentId,
    ) -> Result<Document, KnowledgeError> {
        let viewer = grant.at::<Viewer>();
        self.find_file(&viewer, repository, id).await?;
        let job = self.parts.store.latest_job(&viewer, Work::Ingest(id)).await?;
        if let Some(job) = job.filter(|job| !job.status.is_over()) {
            match self.cancel_job(grant, job.id).await {
                // It ended by itself meanwhile.
                Ok(_) | Err(KnowledgeError::Store(StoreError::Conflict(_) | StoreError::NotFound)) => {}
                Err(error) => return Err(error),
            }
        }
        self.find_file(&viewer, repository, id).await
    }

    /// How far these files of a repository are, and with `others` all that are being taken in besides.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn file_progress(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        files: &[DocumentId],
        others: bool,
    ) -> Result<Vec<FileProgress>, KnowledgeError> {
        Ok(self.parts.store.file_progress(grant, repository, files, others).await?)
    }

    /// Whether files can be taken in: there is room for another one.
    ///
    /// # Errors
    /// If the disk does not say.
    pub async fn has_room(&self) -> Result<bool, KnowledgeError> {
        Ok(self.parts.blobs.has_room().await?)
    }

    /// Removes the blobs that no document refers to any more, once they are old enough that nobody is about to.
    ///
    /// # Errors
    /// If the database is away or the disk fails; what was removed before stays removed.
    pub async fn sweep_blobs(&self) -> Result<Swept, KnowledgeError> {
        let leave = SystemGrant::because("blobs that nobody refers to are removed");
        let in_use = async |hashes: &[BlobHash]| {
            let asked: Vec<[u8; 32]> = hashes.iter().map(|hash| *hash.as_bytes()).collect();
            let used = self.parts.store.blobs_in_use(&leave, &asked).await?;
            Ok::<HashSet<BlobHash>, KnowledgeError>(used.into_iter().map(BlobHash::new).collect())
        };
        self.parts.blobs.sweep(std::time::Duration::ZERO, in_use).await
    }
}

/// What a file is called: the last part of what its sender says, since browsers of old send whole paths. It is shown, and
/// never used as a path. Characters that turn the direction of writing are left out: they make `fdp.exe` look like `exe.pdf`.
fn file_name(field: &'static str, name: &str) -> Result<String, Invalid> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    if matches!(last.trim(), "." | "..") {
        return Err(Invalid::new(field, "must be the name of a file"));
    }
    let turns = |c: &char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown: String = last.chars().filter(|c| !turns(c)).collect();
    omni_domain::required_text(field, &shown, Text::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_no_folder() {
        let name = |name| file_name("file", name).unwrap();
        assert_eq!(name("../../etc/passwd"), "passwd");
        assert_eq!(name("C:\\Users\\Ada\\notes.md"), "notes.md");
        assert_eq!(name("\u{202e}fdp.exe"), "fdp.exe");
        assert_eq!(name(" Jahresbericht 2026.pdf "), "Jahresbericht 2026.pdf");
        for bad in ["", "..", "a/..", "a/", ".", "a\nb", "a\r\nSet-Cookie: b", &"x".repeat(300)] {
            assert!(file_name("file", bad).is_err(), "{bad:?}");
        }
    }
}
