//! Listens in on a client of PostgreSQL: which statements it executes, with which values.
//!
//! That is the one place where neither the client nor the server can be wrong about it, and it takes no extension.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::JoinSet;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// The longest message that can be: nothing here sends more.
const LONGEST: usize = 16 * 1024 * 1024;

/// A statement that was executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Executed {
    pub(crate) sql: String,
    /// The values as they were sent.
    pub(crate) values: Vec<Vec<u8>>,
}

/// A door to a PostgreSQL that notes what goes in.
pub(crate) struct Tap {
    url: String,
    executed: Arc<Mutex<Vec<Executed>>>,
    _tasks: JoinSet<()>,
}

impl Tap {
    pub(crate) async fn open(server: Config) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = url(&server, listener.local_addr()?)?;
        let executed = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, Arc::clone(&executed)));
        Ok(Self { url, executed, _tasks: tasks })
    }

    /// What a client connects to instead.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What was executed since this was last asked.
    pub(crate) fn take(&self) -> Vec<Executed> {
        std::mem::take(&mut *self.executed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn url(server: &Config, door: SocketAddr) -> anyhow::Result<String> {
    let encode = |bytes: &[u8]| percent_encode(bytes, NON_ALPHANUMERIC).to_string();
    let user = encode(server.get_user().context("the URL of PostgreSQL names nobody")?.as_bytes());
    let password = server.get_password().map(|password| format!(":{}", encode(password))).unwrap_or_default();
    let database = encode(server.get_dbname().context("the URL of PostgreSQL names no database")?.as_bytes());
    Ok(format!("postgresql://{user}{password}@{door}/{database}?sslmode=disable"))
}

async fn accept(listener: TcpListener, server: Config, executed: Arc<Mutex<Vec<Executed>>>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (server, executed) = (server.clone(), Arc::clone(&executed));
        connections.spawn(async move {
            // The end of a connection, whichever side ends it, is nothing to tell anybody.
            let _ = pass(client, &server, executed).await;
        });
    }
}

async fn pass(client: TcpStream, server: &Config, executed: Arc<Mutex<Vec<Executed>>>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let port = server.get_ports().first().copied().unwrap_or(5432);
    match server.get_hosts().first() {
        Some(Host::Unix(folder)) => {
            let socket = UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?;
            let (from, to) = socket.into_split();
            relay(client, from, to, executed).await
        }
        Some(Host::Tcp(host)) => {
            let socket = TcpStream::connect((host.as_str(), port)).await?;
            socket.set_nodelay(true)?;
            let (from, to) = socket.into_split();
            relay(client, from, to, executed).await
        }
        None => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

async fn relay(
    client: TcpStream,
    mut from_server: impl AsyncRead + Unpin,
    mut to_server: impl AsyncWrite + Unpin,
    executed: Arc<Mutex<Vec<Executed>>>,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let asking = async {
        let mut session = Session { executed, ..Session::default() };
        // The first message has no kind.
        to_server.write_all(&message(&mut from_client, Vec::new()).await?).await?;
        loop {
            let kind = from_client.read_u8().await?;
            let message = message(&mut from_client, vec![kind]).await?;
            session.note(&message);
            to_server.write_all(&message).await?;
        }
    };
    tokio::select! {
        ended = asking => ended,
        ended = tokio::io::copy(&mut from_server, &mut to_client) => ended.map(drop),
    }
}

/// The rest of a message, behind what has been read of it: its length, which counts itself, and that many bytes.
async fn message(from: &mut (impl AsyncRead + Unpin), mut message: Vec<u8>) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    let rest = usize::try_from(length).ok().and_then(|length| length.checked_sub(4)).filter(|rest| *rest <= LONGEST);
    let rest = rest.ok_or(io::ErrorKind::InvalidData)?;
    message.extend(length.to_be_bytes());
    let begin = message.len();
    message.resize(begin + rest, 0);
    from.read_exact(message.get_mut(begin..).unwrap_or_default()).await?;
    Ok(message)
}

/// What one connection has prepared and bound.
#[derive(Default)]
struct Session {
    prepared: HashMap<Vec<u8>, String>,
    bound: HashMap<Vec<u8>, Executed>,
    executed: Arc<Mutex<Vec<Executed>>>,
}

impl Session {
    fn note(&mut self, message: &[u8]) {
        let Some((kind, mut rest)) = message.split_first().and_then(|(kind, rest)| Some((*kind, rest.get(4..)?)))
        else {
            return;
        };
        let _ = match kind {
            b'Q' => text(&mut rest).map(|sql| self.push(Executed { sql: lossy(sql), values: Vec::new() })),
            b'P' => self.parse(&mut rest),
            b'B' => self.bind(&mut rest),
            b'E' => text(&mut rest).and_then(|portal| self.bound.get(portal).cloned()).map(|bound| self.push(bound)),
            _ => None,
        };
    }

    fn push(&self, executed: Executed) {
        self.executed.lock().unwrap_or_else(PoisonError::into_inner).push(executed);
    }

    fn parse(&mut self, rest: &mut &[u8]) -> Option<()> {
        let (name, sql) = (text(rest)?, text(rest)?);
        self.prepared.insert(name.to_vec(), lossy(sql));
        Some(())
    }

    fn bind(&mut self, rest: &mut &[u8]) -> Option<()> {
        let (portal, statement) = (text(rest)?, text(rest)?);
        for _ in 0..count(rest)? {
            count(rest)?;
        }
        let values = (0..count(rest)?).map(|_| value(rest)).collect::<Option<_>>()?;
        let sql = self.prepared.get(statement)?.clone();
        self.bound.insert(portal.to_vec(), Executed { sql, values });
        Some(())
    }
}

/// A text that ends in a zero.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (text, behind) = rest.split_at_checked(end)?;
    *rest = behind.get(1..)?;
    Some(text)
}

fn count(rest: &mut &[u8]) -> Option<u16> {
    let (count, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u16::from_be_bytes(*count))
}

/// A value; null is as good as none here.
fn value(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let (length, behind) = rest.split_first_chunk()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
    let (value, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(value.to_vec())
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], length.as_slice(), body].concat()
    }

    #[test]
    fn an_execution_is_known_by_its_text_and_values() {
        let mut session = Session::default();
        session.note(&framed(b'P', b"s1\0SELECT $1\0\0\x01\0\0\0\x14"));
        session.note(&framed(b'B', b"\0s1\0\0\x01\0\x01\0\x01\0\0\0\x02hi\0\x01\0\x01"));
        session.note(&framed(b'S', b""));
        for _ in 0..2 {
            session.note(&framed(b'E', b"\0\0\0\0\0"));
        }
        let executed = Executed { sql: "SELECT $1".into(), values: vec![b"hi".to_vec()] };
        assert_eq!(*session.executed.lock().unwrap(), [executed.clone(), executed]);
    }
}
