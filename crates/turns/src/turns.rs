use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{self, Either};
use omni_domain::{AgentId, AppId, Clock, ConversationId, MinuteWindow, SiloId, TurnId, UserId};
use omni_models::{Models, Usage};
use omni_persistence::{NewTurn, Retrieval, Runner, Store, StoreError, TurnRequest};
use omni_rbac::{Authority, Grant, Session, SessionKey, SystemGrant, Viewer};
use omni_sealing::{MasterKey, Place};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::assemble;
use crate::attendance::{Attendance, Attended, Leave};
use crate::drive::{Asking, Drive};
use crate::event::Metadata;
use crate::ledger::Ledger;
use crate::live::{Limits, LiveTurns, Turn};
use crate::log::TurnLog;
use crate::{Ask, Found, Retriever, TurnError};

/// How often a process that runs turns says that it is alive.
const BEAT: Duration = Duration::from_secs(5);
/// How often it is looked whether those whose turns run may still have them: what an agent says to somebody who has been
/// removed stops within that and the time of one query.
const WATCH: Duration = Duration::from_secs(1);
/// A process that has not said so for this long has stopped, and its turns with it.
const SILENT: time::Duration = time::Duration::seconds(30);

/// The most bytes of turns that have ended: who comes back for one that had to go finds its answer in the history.
const MOST_KEPT: usize = 32 * 1024 * 1024;

/// How this process runs turns.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// What the process is called in the database; another one at every start.
    pub runner: Runner,
    /// The most turns that run at once.
    pub most: usize,
    /// How long a turn that has ended can still be read, as long as there is room for it.
    pub kept: Duration,
    /// The column that AI services' keys are sealed for.
    pub key_column: &'static str,
}

/// Runs turns.
pub struct Turns {
    store: Store,
    models: Models,
    key: MasterKey,
    clock: Arc<dyn Clock>,
    authority: Arc<Authority>,
    retriever: Arc<dyn Retriever>,
    settings: Settings,
    live: Arc<LiveTurns>,
    attendance: Attendance,
    ledger: Ledger,
    tasks: TaskTracker,
    upkeep: TaskTracker,
    /// Set when no turn may begin any more.
    closing: CancellationToken,
    /// Set when the turns that still run are ended.
    shutdown: CancellationToken,
}

impl fmt::Debug for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Turns")
            .field("settings", &self.settings)
            .field("running", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

impl Turns {
    /// Starts to run turns: says that the process is alive, and ends what processes that stopped have left behind. Must be
    /// called on the runtime that outlives all turns.
    ///
    /// # Errors
    /// If the database is away.
    pub async fn start(
        store: Store,
        models: Models,
        key: MasterKey,
        clock: Arc<dyn Clock>,
        authority: Arc<Authority>,
        retriever: Arc<dyn Retriever>,
        settings: Settings,
    ) -> Result<Arc<Self>, TurnError> {
        let (ledger, keeping) = Ledger::new(store.clone());
        let turns = Arc::new(Self {
            live: Arc::new(LiveTurns::new(Limits { most: settings.most, kept: settings.kept, bytes: MOST_KEPT })),
            store,
            models,
            key,
            clock,
            authority,
            retriever,
            settings,
            attendance: Attendance::default(),
            ledger,
            tasks: TaskTracker::new(),
            upkeep: TaskTracker::new(),
            closing: CancellationToken::new(),
            shutdown: CancellationToken::new(),
        });
        turns.beat().await?;
        turns.interrupt_abandoned().await?;
        turns.upkeep.spawn(keeping);
        turns.upkeep.spawn(Upkeep::of(&turns).run());
        Ok(turns)
    }

    async fn beat(&self) -> Result<(), StoreError> {
        let leave = SystemGrant::because("a process that runs turns says that it is alive");
        self.store.beat(&leave, self.settings.runner, self.clock.now()).await
    }

    async fn interrupt_abandoned(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        let leave = SystemGrant::because("turns of processes that have stopped end");
        let ended = self.store.interrupt_abandoned_turns(&leave, now - SILENT, None, now).await?;
        if ended > 0 {
            tracing::warn!(ended, "ended turns of a process that has stopped");
        }
        Ok(())
    }

    /// Stops the turns of those who may not have them any more, and what is read by those who have lost their session or
    /// their place in the app.
    async fn watch(&self) {
        let readers = self.attendance.leaves();
        let sessions: HashSet<SessionKey> = readers.iter().map(|leave| leave.session).collect();
        let mut people: BTreeSet<(UserId, AppId)> = self.live.askers().into_iter().collect();
        people.extend(readers.iter().map(|leave| (leave.person, leave.app)));
        if people.is_empty() {
            return;
        }
        let over = if sessions.is_empty() {
            Vec::new()
        } else {
            let over = self.authority.ended(&Vec::from_iter(sessions)).await;
            over.unwrap_or_else(|error| {
                tracing::warn!(%error, "whether sessions still last is not known");
                Vec::new()
            })
        };
        let fallen = self.authority.fallen::<Viewer>(&Vec::from_iter(people)).await;
        let fallen = fallen.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether what runs is still allowed is not known");
            Vec::new()
        });
        self.live.cancel(|turn| fallen.contains(&(turn.owner, turn.app)));
        self.attendance.end(|leave| over.contains(&leave.session) || fallen.contains(&(leave.person, leave.app)));
    }

    /// Begins a turn. It has its rows when this answers; what the agent says is read from the [`Turn`].
    ///
    /// # Errors
    /// If the question breaks a rule, the agent or conversation is not the asker's to talk to, the app's limit is reached,
    /// or the agent's service cannot be used as it is.
    pub async fn begin(&self, grant: &Grant<Viewer>, ask: Ask) -> Result<Turn, TurnError> {
        // Taken before the look at the door: whoever stops this waits for all who were let in.
        let entered = self.tasks.token();
        if self.closing.is_cancelled() {
            return Err(TurnError::Stopping);
        }
        let ask = ask.check()?;
        if !self.live.has_room() {
            return Err(TurnError::Full);
        }
        let now = self.clock.now();
        let request = TurnRequest {
            agent: ask.agent,
            conversation: ask.conversation,
            afresh: ask.afresh,
            minute: MinuteWindow::began(now),
        };
        let plan = self.store.plan_turn(grant, &request).await?;
        if plan.window.is_exhausted() {
            let resets_in = MinuteWindow::seconds_left(now);
            return Err(TurnError::RateLimited { limit: plan.window.limit, resets_in });
        }
        let (service, sealed) = plan.service.map_or((None, None), |(service, sealed)| (Some(service), sealed));
        let key = match (&service, sealed) {
            (Some(service), Some(sealed)) => {
                let place = Place { column: self.settings.key_column, app: service.app, row: service.id.get() };
                let opened = self.key.open(&sealed, place);
                Some(opened.map_err(|cause| {
                    tracing::warn!(service = %service.id, "the stored key of an AI service does not open");
                    TurnError::KeyLost { service: service.name.clone(), cause }
                })?)
            }
            _ => None,
        };
        let target = assemble::target(service.as_ref(), key)?;
        let (provider, model) = (target.provider.name(), target.model.clone());
        let (message, files) = ask.read_attachments();
        let (found, retrieval) = self.retrieve(grant, plan.agent.silo, &ask.message).await?;
        let question = assemble::request(&plan.agent, service.as_ref(), &plan.history, &message, &found);
        let asked = Usage::estimate_request(&question);
        let asking = self.models.chat(target)?.stream(question);
        let new = NewTurn {
            agent: ask.agent,
            conversation: plan.conversation,
            message: &assemble::stored_message(&ask.message, &files),
            provider,
            model: &model,
            retrieval: retrieval.as_ref(),
            runner: self.settings.runner,
            now,
        };
        // The provider thinks while the rows are written; if they cannot be, its answer is dropped unread.
        let (opened, asking) = together(self.store.open_turn(grant, &new), asking).await;
        let limit = plan.window.limit;
        let opened =
            opened?.ok_or_else(|| TurnError::RateLimited { limit, resets_in: MinuteWindow::seconds_left(now) })?;
        let turn = Turn {
            metadata: Arc::new(Metadata {
                turn_id: opened.turn,
                conversation_id: opened.conversation,
                message_id: opened.answer,
                agent_id: plan.agent.id,
                agent_name: plan.agent.name,
                has_memory: plan.agent.memory.enabled,
                provider: provider.to_owned(),
                model,
                files,
            }),
            log: TurnLog::new(),
            stop: self.shutdown.child_token(),
            owner: grant.actor(),
            app: grant.app(),
        };
        self.live.insert(turn.clone());
        let drive = Drive {
            turn: turn.clone(),
            grant: grant.at(),
            ledger: self.ledger.clone(),
            clock: Arc::clone(&self.clock),
            citations: retrieval.map(|retrieval| retrieval.citations).unwrap_or_default(),
            asked,
            shutdown: self.shutdown.clone(),
        };
        let live = Arc::clone(&self.live);
        let task = async move {
            drive.run(asking).await;
            live.end(opened.turn, Instant::now());
        };
        self.tasks.spawn(task.in_current_span());
        drop(entered);
        Ok(turn)
    }

    /// What the agent's silo has for the question, and what is kept of that.
    async fn retrieve(
        &self,
        grant: &Grant<Viewer>,
        silo: Option<SiloId>,
        question: &str,
    ) -> Result<(Vec<Found>, Option<Retrieval>), TurnError> {
        let Some(silo) = silo else { return Ok((Vec::new(), None)) };
        let found = self.retriever.retrieve(grant, silo, question).await?;
        let citations = found.iter().map(|found| found.citation.clone()).collect();
        Ok((found, Some(Retrieval { silo: Some(silo), query: question.to_owned(), citations })))
    }

    /// A turn of this process that runs or has ended a moment ago, if it is the grant holder's own in the grant's app.
    #[must_use]
    pub fn find(&self, grant: &Grant<Viewer>, id: TurnId) -> Option<Turn> {
        self.live.find(grant, id)
    }

    /// Takes a place for somebody who reads for longer than a request, for as long as their session and their place in the
    /// grant's app last.
    #[must_use]
    pub fn attend(&self, session: &Session, grant: &Grant<Viewer>) -> Attended {
        self.attendance.attend(Leave { session: *session.key(), person: grant.actor(), app: grant.app() })
    }

    /// Stops the turns of an agent that is no more.
    pub fn cancel_agent(&self, agent: AgentId) {
        self.live.cancel(|turn| turn.metadata.agent_id == agent);
    }

    /// Stops the turns of an app that is no more.
    pub fn cancel_app(&self, app: AppId) {
        self.live.cancel(|turn| turn.app == app);
    }

    /// Stops the turns of a person who is let in no more.
    pub fn cancel_person(&self, person: UserId) {
        self.live.cancel(|turn| turn.owner == person);
    }

    /// Stops the turns of a conversation that is no more.
    pub fn cancel_conversation(&self, conversation: ConversationId) {
        self.live.cancel(|turn| turn.metadata.conversation_id == conversation);
    }

    /// How many turns run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Whether no turn may begin any more, because the process is about to stop.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.closing.is_cancelled()
    }

    /// Takes no more turns, gives those that run `grace` to end by themselves, then ends them with what they have said so
    /// far. When this answers, all of it is stored.
    pub async fn stop(&self, grace: Duration) {
        self.closing.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!(running = self.tasks.len(), "ending the turns that still run");
            self.shutdown.cancel();
            self.tasks.wait().await;
        }
        self.shutdown.cancel();
        self.upkeep.close();
    }
}

/// Both at once, until the rows are there; the provider's answer comes along as far as it has got.
async fn together<T>(opening: impl Future<Output = T>, asking: Asking) -> (T, Asking) {
    match future::select(Box::pin(opening), asking).await {
        Either::Left((opened, asking)) => (opened, asking),
        Either::Right((answer, opening)) => (opening.await, future::ready(answer).boxed()),
    }
}

/// What a process that runs turns does all the time: it says that it is alive, ends what others have left behind, and
/// forgets what nobody comes back for.
struct Upkeep {
    turns: std::sync::Weak<Turns>,
    shutdown: CancellationToken,
}

impl Upkeep {
    fn of(turns: &Arc<Turns>) -> Self {
        Self { turns: Arc::downgrade(turns), shutdown: turns.shutdown.clone() }
    }

    async fn run(self) {
        let mut was_away = false;
        let (mut beats, mut watches) = (tokio::time::interval(BEAT), tokio::time::interval(WATCH));
        loop {
            let is_beat = tokio::select! {
                () = self.shutdown.cancelled() => return,
                _ = beats.tick() => true,
                _ = watches.tick() => false,
            };
            let Some(turns) = self.turns.upgrade() else { return };
            if !is_beat {
                turns.watch().await;
                continue;
            }
            turns.live.sweep(Instant::now());
            let outcome = match turns.beat().await {
                // While the database was away nobody could say that they are alive; now they have a beat's time to.
                Ok(()) if was_away => Ok(()),
                Ok(()) => turns.interrupt_abandoned().await,
                Err(error) => Err(error),
            };
            was_away = outcome.is_err();
            if let Err(error) = outcome {
                tracing::warn!(%error, "a process that runs turns could not say that it is alive");
            }
        }
    }
}
