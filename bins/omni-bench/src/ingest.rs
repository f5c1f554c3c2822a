//! Files on their way from an upload to what can be found: how fast, how much memory, and what other requests notice.

use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::bench::Bench;
use crate::client::Connection;
use crate::family::{Watched, resident};
use crate::files::{hostile, pdf};
use crate::load::closed_loop;
use crate::report::{Wanted, judge, part, say};
use crate::sample::{median, number};
use crate::server::Server;
use crate::texts::Author;
use crate::workspace::Person;

const PAGES: usize = 200;
const TEXTS: usize = 1_000;
/// How many characters a small text has.
const SMALL: usize = 2_000;
/// How many files one form has.
const AT_ONCE: usize = 20;
/// How often the hostile files are uploaded, each time as other files.
const ASSAULTS: usize = 6;
/// How long other requests are measured, in each of so many rounds.
const LASTING: Duration = Duration::from_secs(2);
const ROUNDS: usize = 5;
/// How long all that is uploaded may take.
const LONGEST: Duration = Duration::from_secs(600);
/// Between two looks whether all is read. Looking takes time from what is measured.
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<()> {
    part(&format!("Taking files in: a PDF of {PAGES} pages, {TEXTS} small texts, and hostile ones"));
    let server = Server::start(bench, &[]).await?;
    let person = Person::sign_in(server.address(), 0).await?;
    let app = person.create("/internal/apps", &json!({ "name": "Knowledge" }), "app_id").await?;
    let mut author = Author::new();
    let repository = Repository::make(&person, &server, app, "Books").await?;
    // What the first file costs is no file's: the worker is found, statements are prepared.
    repository.take_in(&[("first.txt".to_owned(), author.text(SMALL).into_bytes())]).await?;

    let idle = resident(server.pid());
    let books = Repository::make(&person, &server, app, "Long books").await?;
    let watched = Watched::begin(server.pid());
    let taken = books.take_in(&[("book.pdf".to_owned(), pdf(&mut author, PAGES))]).await?;
    taken.say(&format!("a PDF of {PAGES} pages"));
    let texts = Repository::make(&person, &server, app, "Notes").await?;
    let small = |number| (format!("note-{number}.txt"), author.text(SMALL).into_bytes());
    let files: Vec<_> = (0..bench.rounds(TEXTS, TEXTS / 5)).map(small).collect();
    texts.take_in(&files).await?.say(&format!("{} small texts", files.len()));
    let peak = watched.peak() - idle;
    judge("memory while taking in", "omni-api with its children, above idle", peak, " MiB", Wanted::Under(150.0));

    assault(&server, &person, app).await?;
    server.stop().await
}

/// Other requests while hostile files are read, and without them. Nothing looks at memory meanwhile: that takes a processor, too.
async fn assault(server: &Server, person: &Person, app: i64) -> anyhow::Result<()> {
    let request = [person.get("/internal/apps")];
    let loaded = async || closed_loop(server.address(), &request, 1, LASTING).await;
    let repository = Repository::make(person, server, app, "Bombs").await?;
    let files = hostile()?;
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(loaded().await?.latency.quantile(99));
    }
    for round in 0..ASSAULTS {
        let renamed: Vec<_> =
            files.iter().map(|(name, content)| (format!("{round}-{name}"), salted(content, round))).collect();
        repository.upload(&renamed).await?;
    }
    for _ in 0..ROUNDS {
        beside.push(loaded().await?.latency.quantile(99));
    }
    let left = repository.processing().await?;
    let (read, refused) = repository.finished().await?;
    let (alone, beside) = (median(alone), median(beside));
    say(&format!(
        "        {} hostile files: {refused} failed with a reason, {read} had text; {left} were left when the measurement ended",
        ASSAULTS * files.len(),
    ));
    ensure!(refused >= ASSAULTS * (files.len() - 3), "hostile files were read");
    let compared =
        format!("p99 of GET /internal/apps: {beside:.2} ms beside them, {alone:.2} ms alone; medians of {ROUNDS}");
    judge("slower beside hostile files", &compared, beside / alone, " times", Wanted::Under(2.0));
    Ok(())
}

/// The same file as another: what is known already is not read again.
fn salted(content: &[u8], salt: usize) -> Vec<u8> {
    [content, &vec![b' '; salt]].concat()
}

struct Repository<'a> {
    person: &'a Person,
    server: &'a Server,
    files: String,
}

/// What files came to.
struct TakenIn {
    chunks: usize,
    took: Duration,
}

impl TakenIn {
    fn say(&self, what: &str) {
        let (rate, took) = (number(self.chunks) / self.took.as_secs_f64(), self.took.as_secs_f64());
        say(&format!(
            "        {what}: {} passages in {took:.2} s, {rate:.0} a second, from upload to found",
            self.chunks
        ));
    }
}

impl<'a> Repository<'a> {
    async fn make(person: &'a Person, server: &'a Server, app: i64, name: &str) -> anyhow::Result<Self> {
        let body = json!({ "name": name });
        let id = person.create(&format!("/internal/repositories?app_id={app}"), &body, "repo_id").await?;
        Ok(Self { person, server, files: format!("/internal/repositories/{id}/files") })
    }

    async fn upload(&self, files: &[(String, Vec<u8>)]) -> anyhow::Result<()> {
        let mut connection = Connection::open(self.server.address()).await?;
        for files in files.chunks(AT_ONCE) {
            connection.exchange(&self.person.upload(&self.files, files)).await?.json()?;
        }
        Ok(())
    }

    /// Uploads files, and waits until all of them can be found.
    async fn take_in(&self, files: &[(String, Vec<u8>)]) -> anyhow::Result<TakenIn> {
        let begun = Instant::now();
        self.upload(files).await?;
        let (_, failed) = self.finished().await?;
        let took = begun.elapsed();
        ensure!(failed == 0, "{failed} files failed");
        Ok(TakenIn { chunks: self.chunks().await?, took })
    }

    /// Waits until nothing is being read, and says how many can be found and how many failed.
    async fn finished(&self) -> anyhow::Result<(usize, usize)> {
        let give_up = Instant::now() + LONGEST;
        while self.processing().await? > 0 {
            ensure!(Instant::now() < give_up, "files are not read within {LONGEST:?}");
            sleep(PAUSE).await;
        }
        Ok((self.count("ready").await?, self.count("failed").await?))
    }

    async fn processing(&self) -> anyhow::Result<usize> {
        self.count("processing").await
    }

    async fn count(&self, status: &str) -> anyhow::Result<usize> {
        let found = self.page(status, 1, 1).await?;
        let total = found.get("total").and_then(Value::as_u64).context("a list without a total")?;
        Ok(usize::try_from(total)?)
    }

    async fn chunks(&self) -> anyhow::Result<usize> {
        let mut chunks = 0;
        for page in 1.. {
            let found = self.page("ready", page, 100).await?;
            let files = found.get("items").and_then(Value::as_array).context("a list without items")?;
            if files.is_empty() {
                break;
            }
            chunks += files.iter().filter_map(|file| file.get("chunk_count")?.as_u64()).sum::<u64>();
        }
        Ok(usize::try_from(chunks)?)
    }

    async fn page(&self, status: &str, page: usize, size: usize) -> anyhow::Result<Value> {
        let mut connection = Connection::open(self.server.address()).await?;
        let path = format!("{}?status={status}&page={page}&per_page={size}", self.files);
        connection.exchange(&self.person.get(&path)).await?.json()
    }
}
