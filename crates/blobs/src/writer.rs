use std::fmt;
use std::mem;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::blocking::{blocking, unfinished};
use crate::draft::Draft;
use crate::store::Inner;
use crate::{BlobDraft, BlobError, BlobRef};

/// So much is collected before it goes to the disk. One such piece is written while the next one is collected.
const PIECE: usize = 256 * 1024;

/// A blob on its way to the disk, piece by piece. Dropping it before [`BlobWriter::finish`] leaves nothing.
///
/// It holds at most two pieces of 256 KiB, however large the blob: whoever writes faster than the disk waits.
pub struct BlobWriter {
    store: Arc<Inner>,
    limit: u64,
    received: u64,
    piece: Vec<u8>,
    state: State,
}

enum State {
    /// Nothing was written yet.
    New,
    /// A piece is being written, or was; it comes back empty.
    Busy(JoinHandle<Result<(Draft, Vec<u8>), BlobError>>),
    /// A call failed or was abandoned: what was written is not what was meant.
    Ended,
}

impl BlobWriter {
    pub(crate) fn new(store: Arc<Inner>) -> Self {
        Self { limit: store.options.max_bytes, store, received: 0, piece: Vec::new(), state: State::New }
    }

    /// Takes at most so many bytes. The limit of the folder holds as well.
    #[must_use]
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.limit = self.limit.min(bytes);
        self
    }

    /// How many bytes were given to it so far.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.received
    }

    /// Takes more bytes. An error ends the upload, and so does dropping the future before it is ready; what there is of
    /// the blob is removed then.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] before a byte beyond the limit is written, [`BlobError::StorageFull`],
    /// [`BlobError::WriterEnded`] and [`BlobError::Io`].
    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), BlobError> {
        // The state goes back only if all went well.
        let mut state = mem::replace(&mut self.state, State::Ended);
        if matches!(state, State::Ended) {
            return Err(BlobError::WriterEnded);
        }
        let received = u64::try_from(bytes.len()).ok().and_then(|more| self.received.checked_add(more));
        match received.filter(|received| *received <= self.limit) {
            Some(received) => self.received = received,
            None => {
                discard(state);
                return Err(BlobError::TooLarge { limit: self.limit });
            }
        }
        while !bytes.is_empty() {
            let room = PIECE.saturating_sub(self.piece.len()).min(bytes.len());
            let (now, later) = bytes.split_at(room);
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() >= PIECE {
                state = self.send_piece(state).await?;
            }
        }
        self.state = state;
        Ok(())
    }

    /// Has the piece written, as soon as the one before it is.
    async fn send_piece(&mut self, state: State) -> Result<State, BlobError> {
        let (draft, empty) = written(state).await?;
        let piece = mem::replace(&mut self.piece, empty);
        let store = Arc::clone(&self.store);
        Ok(State::Busy(spawn_blocking(move || append(draft, piece, &store))))
    }

    /// Makes it a blob: when this returns, it is on the disk whole and under its name.
    ///
    /// # Errors
    /// [`BlobError::StorageFull`], [`BlobError::WriterEnded`] and [`BlobError::Io`].
    pub async fn finish(self) -> Result<BlobRef, BlobError> {
        self.whole().await?.keep().await
    }

    /// Nothing more comes. It is not a blob yet: whether it becomes one is decided later.
    ///
    /// # Errors
    /// As [`BlobWriter::finish`].
    pub async fn whole(mut self) -> Result<BlobDraft, BlobError> {
        let state = mem::replace(&mut self.state, State::Ended);
        let (draft, _) = written(state).await?;
        let (piece, store) = (mem::take(&mut self.piece), Arc::clone(&self.store));
        blocking(move || {
            let (draft, _) = append(draft, piece, &store)?;
            Ok(BlobDraft::new(store, draft))
        })
        .await
    }
}

/// The draft, if there is one yet, and a piece to fill.
async fn written(state: State) -> Result<(Option<Draft>, Vec<u8>), BlobError> {
    match state {
        State::New => Ok((None, Vec::new())),
        State::Busy(writing) => {
            let (draft, piece) = writing.await.unwrap_or_else(|error| Err(unfinished(error)))?;
            Ok((Some(draft), piece))
        }
        State::Ended => Err(BlobError::WriterEnded),
    }
}

fn append(draft: Option<Draft>, mut piece: Vec<u8>, store: &Inner) -> Result<(Draft, Vec<u8>), BlobError> {
    let made = draft.map_or_else(|| Draft::create(&store.layout, &store.drafts), Ok);
    let written = made.and_then(|mut draft| {
        draft.append(&piece)?;
        Ok(draft)
    });
    piece.clear();
    Ok((written.map_err(BlobError::io("written"))?, piece))
}

/// Lets go of a draft where it may take time: removing a large file does.
fn discard(state: State) {
    if let (State::Busy(writing), Ok(runtime)) = (state, Handle::try_current()) {
        runtime.spawn_blocking(move || drop(writing));
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        discard(mem::replace(&mut self.state, State::Ended));
    }
}

impl fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobWriter")
            .field("received", &self.received)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}
