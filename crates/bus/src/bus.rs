use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::BusError;

/// How long one attempt to connect may take.
const CONNECTING: Duration = Duration::from_secs(5);
/// How soon after a lost connection the next attempt begins, and how long the pauses grow.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// A subject that nobody listens on: the server itself answers that nobody does.
const PROBE: &str = "omni.probe";

/// A connection to NATS. Clones share it; it closes with the last of them.
#[derive(Clone)]
pub struct Bus {
    client: Client,
}

impl Bus {
    /// Connects in the background to one or more servers (`urls`, with commas between, passwords included) as `name`.
    /// Must be called on the runtime that the connection is to live on.
    ///
    /// # Errors
    /// [`BusError::Address`] if one of the URLs is none. A server that is away is no error.
    pub async fn connect(urls: &SecretString, name: &str) -> Result<Self, BusError> {
        let servers = urls
            .expose_secret()
            .split(',')
            .map(|url| url.trim().parse::<ServerAddr>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| BusError::Address(error.kind().to_string()))?;
        let failures = Failures::default();
        let client = identified(&servers)
            .name(name)
            .connection_timeout(CONNECTING)
            .retry_on_initial_connect()
            .reconnect_delay_callback(pause)
            .event_callback(move |event| {
                failures.tell(&event);
                std::future::ready(())
            })
            .connect(servers)
            .await
            .map_err(|error| BusError::Address(error.kind().to_string()))?;
        Ok(Self { client })
    }

    /// Whether a server answers, within `patience`.
    ///
    /// # Errors
    /// [`BusError::Away`] if none does, [`BusError::Refused`] if it answers something else than was asked.
    pub async fn probe(&self, patience: Duration) -> Result<(), BusError> {
        // Requests wait in a queue while there is no connection; this one would only be late.
        if self.client.connection_state() != State::Connected {
            return Err(BusError::Away);
        }
        match timeout(patience, self.client.request(PROBE, Bytes::new())).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders => Ok(()),
            Ok(Err(error)) if error.kind() == RequestErrorKind::TimedOut => Err(BusError::Away),
            Ok(Err(error)) => Err(BusError::Refused(Box::new(error))),
            Err(_) => Err(BusError::Away),
        }
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("state", &self.client.connection_state()).finish_non_exhaustive()
    }
}

/// How long to wait before the attempt of that number, from 1.
fn pause(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(10);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// Options that say who is connecting: the credentials of the first URL that has some. A user without a password is a
/// token, as NATS writes it.
fn identified(servers: &[ServerAddr]) -> ConnectOptions {
    match servers.iter().find(|server| server.has_user_pass()) {
        None => ConnectOptions::new(),
        Some(server) => {
            let user = server.username().unwrap_or_default().to_owned();
            match server.password() {
                Some(password) => ConnectOptions::with_user_and_password(user, password.to_owned()),
                None => ConnectOptions::with_token(user),
            }
        }
    }
}

/// Says in the log how the connection is, each thing once: every attempt that fails would repeat the reason.
#[derive(Default)]
struct Failures {
    last: Mutex<Option<String>>,
}

impl Failures {
    fn tell(&self, event: &Event) {
        match event {
            Event::Connected => {
                self.is_new(None);
                tracing::info!("connected to NATS");
            }
            Event::Disconnected => tracing::warn!("NATS is away; trying again until it is back"),
            Event::ClientError(_) | Event::ServerError(_) => {
                let problem = event.to_string();
                if self.is_new(Some(problem.clone())) {
                    tracing::warn!(problem, "NATS cannot be reached; trying again until it can");
                }
            }
            other => tracing::debug!(event = %other, "NATS"),
        }
    }

    /// Whether this is not what was said last.
    fn is_new(&self, failure: Option<String>) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *last != failure;
        *last = failure;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinSet;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    /// Enough of the NATS protocol to be asked something that nobody answers.
    async fn serve(connection: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = connection.into_split();
        writer
            .write_all(
                b"INFO {\"server_id\":\"t\",\"version\":\"2.10.0\",\"headers\":true,\"max_payload\":1048576}\r\n",
            )
            .await?;
        let mut lines = BufReader::new(reader).lines();
        let connect = lines.next_line().await?.unwrap_or_default();
        if !(connect.contains("\"user\":\"omni\"") && connect.contains("\"pass\":\"hunter2\"")) {
            return writer.write_all(b"-ERR 'Authorization Violation'\r\n").await;
        }
        let mut inbox = String::new();
        while let Some(line) = lines.next_line().await? {
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                ["PING"] => writer.write_all(b"PONG\r\n").await?,
                ["SUB", _, subscription] => inbox = (*subscription).to_owned(),
                ["PUB", PROBE, reply, _] => {
                    let answer = format!("HMSG {reply} {inbox} 16 16\r\nNATS/1.0 503\r\n\r\n\r\n");
                    writer.write_all(answer.as_bytes()).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn until<T>(mut holds: impl AsyncFnMut() -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = holds().await {
                    return found;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, waiting).await.expect("in time")
    }

    #[tokio::test]
    async fn a_server_that_comes_later_is_found_and_one_that_goes_is_missed() {
        let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = reserved.local_addr().unwrap();
        drop(reserved);
        let bus = Bus::connect(&format!("nats://omni:hunter2@{address}").into(), "test").await.unwrap();
        assert!(matches!(bus.probe(PATIENCE).await, Err(BusError::Away)));

        let listener = TcpListener::bind(address).await.unwrap();
        let mut serving = JoinSet::new();
        serving.spawn(async move { serve(listener.accept().await.unwrap().0).await });
        until(async || bus.probe(PATIENCE).await.ok()).await;

        serving.shutdown().await;
        until(async || bus.probe(Duration::from_millis(200)).await.err()).await;
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_without_its_password() {
        let error = Bus::connect(&"nats://omni:hunter2@:x".into(), "test").await.unwrap_err();
        assert!(matches!(error, BusError::Address(_)) && !format!("{error:?}").contains("hunter2"), "{error:?}");
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        assert_eq!(pause(1), FIRST_PAUSE);
        assert_eq!(pause(3), FIRST_PAUSE * 4);
        assert_eq!(pause(usize::MAX), LONGEST_PAUSE);
    }
}
