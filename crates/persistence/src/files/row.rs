//! The rows that files are read from.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz};
use omni_domain::{AppId, Document, DocumentId, FolderId, RepositoryId, SiloId, Timestamp};

use super::FileProgress;
use crate::StoreError;
use crate::app_scoped::{count, optional_small};

#[derive(QueryableByName)]
pub(super) struct ProgressRow {
    #[diesel(sql_type = BigInt)]
    document_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    #[diesel(sql_type = BigInt)]
    chunk_count: i64,
    #[diesel(sql_type = Nullable<Text>)]
    stage: Option<String>,
    #[diesel(sql_type = BigInt)]
    done: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    total: Option<i64>,
}

impl TryFrom<ProgressRow> for FileProgress {
    type Error = StoreError;

    fn try_from(row: ProgressRow) -> Result<Self, StoreError> {
        Ok(Self {
            file: DocumentId::new(row.document_id),
            name: row.name,
            status: row.status.parse().map_err(StoreError::inconsistent)?,
            error: row.error,
            chunks: count(row.chunk_count)?,
            stage: row.stage,
            done: count(row.done)?,
            total: row.total.map(count).transpose()?,
        })
    }
}

#[derive(QueryableByName)]
pub(super) struct FileRow {
    #[diesel(sql_type = BigInt)]
    document_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = BigInt)]
    silo_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    repo_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    folder_id: Option<i64>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    url: Option<String>,
    #[diesel(sql_type = Text)]
    media_type: String,
    #[diesel(sql_type = Nullable<Binary>)]
    blob_hash: Option<Vec<u8>>,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = Text)]
    metadata: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    title: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pages: Option<i64>,
    #[diesel(sql_type = BigInt)]
    chunk_count: i64,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    update_date: Timestamp,
}

impl TryFrom<FileRow> for Document {
    type Error = StoreError;

    fn try_from(row: FileRow) -> Result<Self, StoreError> {
        let blob = row.blob_hash.map(<[u8; 32]>::try_from).transpose();
        let blob = blob.map_err(|_| StoreError::inconsistent("a hash that is not of 32 bytes"))?;
        Ok(Self {
            id: DocumentId::new(row.document_id),
            app: AppId::new(row.app_id),
            silo: SiloId::new(row.silo_id),
            repository: row.repo_id.map(RepositoryId::new),
            folder: row.folder_id.map(FolderId::new),
            name: row.name,
            url: row.url,
            media_type: row.media_type,
            blob,
            bytes: count(row.bytes)?,
            metadata: serde_json::from_str(&row.metadata)
                .map_err(|error| StoreError::inconsistent(error.to_string()))?,
            status: row.status.parse().map_err(StoreError::inconsistent)?,
            error: row.error,
            title: row.title,
            pages: optional_small(row.pages)?,
            chunks: count(row.chunk_count)?,
            created: row.create_date,
            updated: row.update_date,
        })
    }
}
