use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use omni_domain::{DocumentId, DocumentStatus, RepositoryId};
use omni_http::{ApiError, Call, Ctx, Endpoint, EventStream, Example, InApp, Method, NoBody, NoQuery, Via};
use omni_persistence::FileProgress;
use omni_rbac::{Grant, Viewer};
use omni_wire::{FileEvent, FileNews};

use super::{FilePath, SECTION};
use crate::{Services, WorkspaceApi};

/// How often it is looked how far files are: another process may be working on them.
const LOOK: Duration = Duration::from_millis(500);

/// Tells how far a file is, until that is over.
pub(crate) enum Events {}

impl Endpoint for Events {
    type Plane = WorkspaceApi;
    type Access = InApp<Via<RepositoryId>, Viewer>;
    type Path = FilePath;
    type Query = NoQuery;
    type Body = NoBody;
    type Reply = EventStream;

    const METHOD: Method = Method::Get;
    const PATH: &'static str = "/internal/repositories/{repo_id}/files/{file_id}/events";
    const SECTION: &'static str = SECTION;
    const SUMMARY: &'static str = "Follow the processing of a file";
    const DETAILS: &'static str = "`progress` whenever something changed, and `done` last, when the file is neither waiting nor \
        being processed.";

    fn example() -> Example {
        Example::plain()
    }

    async fn handle(ctx: Ctx<Self>, call: Call<FilePath, NoQuery, NoBody>) -> Result<EventStream, ApiError> {
        let FilePath { repository, file } = call.path;
        ctx.state.knowledge.find_file(&ctx.granted.grant, repository, file).await?;
        let attended = ctx.state.turns.attend(&ctx.granted.session, &ctx.granted.grant);
        let watched = Watched { repository, files: vec![file], others: false };
        Ok(EventStream::new(attended.while_it_lasts(frames(ctx.state, ctx.granted.grant, watched))))
    }
}

/// The files that somebody follows.
pub(super) struct Watched {
    pub(super) repository: RepositoryId,
    /// Those that are followed to their end. One that was told to be over is not followed any more.
    pub(super) files: Vec<DocumentId>,
    /// Whether those are that are being processed besides.
    pub(super) others: bool,
}

struct Following {
    services: Arc<Services>,
    grant: Grant<Viewer>,
    watched: Watched,
    told: BTreeMap<DocumentId, FileEvent>,
    frames: u64,
    is_over: bool,
}

/// The frames: what changed since the last look, and at the end that it is the end.
pub(super) fn frames(services: Arc<Services>, grant: Grant<Viewer>, watched: Watched) -> impl Stream<Item = Bytes> {
    let following = Following { services, grant, watched, told: BTreeMap::new(), frames: 0, is_over: false };
    futures::stream::unfold(following, |mut following| async move {
        if following.is_over {
            return None;
        }
        loop {
            if let Some(frames) = following.look().await {
                return Some((frames, following));
            }
            tokio::time::sleep(LOOK).await;
        }
    })
}

impl Following {
    /// What changed since the last look.
    async fn look(&mut self) -> Option<Bytes> {
        let Watched { repository, files, others } = &self.watched;
        let found = self.services.knowledge.file_progress(&self.grant, *repository, files, *others).await;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                // The client comes again, and is told then.
                tracing::warn!(%error, "the progress of files cannot be read");
                self.is_over = true;
                return Some(self.frame(&FileNews::Error { detail: "follow again in a moment" }).into());
            }
        };
        self.is_over = found.iter().all(|file| file.status != DocumentStatus::Processing);
        let mut frames = String::new();
        let followed = found.iter().filter(|file| file.status == DocumentStatus::Processing).map(|file| file.file);
        let mut followed: Vec<DocumentId> = followed.collect();
        // Those that there was no room for are told of later.
        followed.extend(files.iter().filter(|file| found.iter().all(|found| found.file != **file)));
        for event in found.into_iter().map(event) {
            if self.told.get(&event.resource_id) != Some(&event) {
                self.told.insert(event.resource_id, event.clone());
                frames += &self.frame(&FileNews::Progress(event));
            }
        }
        self.watched.files = followed;
        if self.is_over {
            frames += &self.frame(&FileNews::Done { files: self.told.len() });
        }
        (!frames.is_empty()).then(|| frames.into())
    }

    fn frame(&mut self, news: &FileNews) -> String {
        self.frames += 1;
        match serde_json::to_string(news) {
            Ok(data) => format!("id: {}\ndata: {data}\n\n", self.frames),
            Err(error) => {
                tracing::error!(%error, "an event cannot be written");
                String::new()
            }
        }
    }
}

fn event(file: FileProgress) -> FileEvent {
    FileEvent {
        resource_id: file.file,
        filename: file.name,
        status: file.status.to_string(),
        stage: file.stage,
        done: file.done,
        total: file.total,
        chunk_count: file.chunks,
        error: file.error,
    }
}
