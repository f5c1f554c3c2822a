//! Finding passages: through the API against the same SQL run directly, and what an index finds against what is there.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use crate::bench::Bench;
use crate::client::Connection;
use crate::database::connect;
use crate::report::{Wanted, judge, part, say};
use crate::sample::{Sample, number};
use crate::server::Server;
use crate::texts::Author;
use crate::workspace::Person;

/// The passages of the large silo, and of the one that has a twentieth of all.
const LARGE: usize = 100_000;
const SMALL: usize = 5_000;
/// How many of the nearest are compared.
const TOP: usize = 10;
/// How large a text is that is indexed at once.
const TEXT: usize = 600_000;
/// How long an index may take to be built.
const LONGEST_BUILD: Duration = Duration::from_secs(1_200);

struct Silo {
    id: i64,
    passages: usize,
}

pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<()> {
    let large = bench.rounds(LARGE, LARGE / 4);
    part(&format!("Finding passages: {large} in one silo, {SMALL} in another"));
    let server = Server::start(bench, &[]).await?;
    let idle = server.resident()?;
    let person = Person::sign_in(server.address(), 0).await?;
    let app = person.create("/internal/apps", &json!({ "name": "Knowledge" }), "app_id").await?;
    let mut author = Author::new();
    let big = fill(&person, &server, app, "Large", large, &mut author).await?;
    let small = fill(&person, &server, app, "Small", SMALL, &mut author).await?;
    let peak = server.peak()? - idle;
    judge("memory while indexing", "VmHWM above what it had idle", peak, " MiB", Wanted::Under(150.0));

    let mut connections = JoinSet::new();
    let sql = connect(bench.database.url(), &mut connections).await?;
    let waited = wait_for_index(&sql, big.id).await?;
    say(&format!("        the index of the large silo was there {:.0} s after the last passage", waited.as_secs_f64()));
    // One by one: statements that are sent together are one transaction, which a vacuum is not part of.
    for table in ["chunk_vectors", "chunks", "chunk_words"] {
        sql.batch_execute(&format!("VACUUM ANALYZE {table}")).await?;
    }
    let rounds = bench.rounds(200, 50);
    for silo in [&big, &small] {
        compare(&person, &server, &sql, silo, rounds).await?;
    }
    server.stop().await
}

async fn fill(
    person: &Person,
    server: &Server,
    app: i64,
    name: &str,
    passages: usize,
    author: &mut Author,
) -> anyhow::Result<Silo> {
    let silo = json!({ "name": name, "retrieval_count": TOP });
    let id = person.create(&format!("/internal/silos?app_id={app}"), &silo, "silo_id").await?;
    let path = format!("/internal/silos/{id}/documents");
    let mut connection = Connection::open(server.address()).await?;
    let (begun, mut written, mut texts) = (Instant::now(), 0, 0);
    while written < passages {
        let text = author.text(TEXT.min((passages - written) * 1_700));
        let body = json!({ "name": format!("Text {texts}"), "text": text });
        let answer = connection.exchange(&person.post(&path, &body)).await?.json()?;
        let chunks = answer.get("chunk_count").and_then(Value::as_u64).context("no chunk_count")?;
        written += usize::try_from(chunks)?;
        texts += 1;
    }
    let rate = number(written) / begun.elapsed().as_secs_f64();
    say(&format!("        {written} passages of {texts} texts: {rate:.0} a second, embedded and stored"));
    Ok(Silo { id, passages: written })
}

async fn wait_for_index(sql: &Client, silo: i64) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let query = "SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
        WHERE i.indisvalid AND c.relname = 'chunk_vectors_of_silo_' || $1::bigint || '_1')";
    while !sql.query_one(query, &[&silo]).await?.get::<_, bool>(0) {
        ensure!(begun.elapsed() < LONGEST_BUILD, "no index was built");
        sleep(Duration::from_millis(250)).await;
    }
    Ok(begun.elapsed())
}

async fn compare(person: &Person, server: &Server, sql: &Client, silo: &Silo, rounds: usize) -> anyhow::Result<()> {
    let path = format!("/internal/silos/{}/search", silo.id);
    let questions = sql
        .query(
            "SELECT c.content, v.embedding::text FROM chunks c JOIN chunk_vectors v ON v.chunk_id = c.chunk_id \
             WHERE c.silo_id = $1 AND v.silo_id = $1 ORDER BY hashint8(c.chunk_id) LIMIT $2",
            &[&silo.id, &i64::try_from(rounds)?],
        )
        .await?;
    let nearest = format!(
        "SELECT v.chunk_id, (v.embedding::halfvec(384) <=> $1::text::halfvec(384))::float8 FROM chunk_vectors v \
         WHERE v.silo_id = {} AND v.epoch = 1 ORDER BY v.embedding::halfvec(384) <=> $1::text::halfvec(384) LIMIT {TOP}",
        silo.id
    );
    let passages = "SELECT c.chunk_id, c.content, d.name FROM chunks c JOIN documents d ON d.document_id = c.document_id \
        WHERE c.chunk_id = ANY($1)";
    sql.batch_execute("SET hnsw.ef_search = 200; SET hnsw.iterative_scan = relaxed_order").await?;
    let mut connection = Connection::open(server.address()).await?;
    let (mut ours, mut theirs, mut found, mut wanted) = (Vec::new(), Vec::new(), 0, 0);
    for question in &questions {
        let (content, vector): (String, String) = (question.get(0), question.get(1));
        let body = json!({ "query": content, "limit": TOP, "search_type": "similarity" });
        let request = person.post(&path, &body);
        let asked = Instant::now();
        let answer = connection.exchange(&request).await?.json()?;
        ours.push(asked.elapsed());

        let asked = Instant::now();
        let direct: Vec<i64> = sql.query(&nearest, &[&vector]).await?.iter().map(|row| row.get(0)).collect();
        sql.query(passages, &[&direct]).await?;
        theirs.push(asked.elapsed());

        let results = answer.get("results").and_then(Value::as_array).context("no results")?;
        let got: BTreeSet<i64> = results.iter().filter_map(|hit| hit.get("chunk_id")?.as_i64()).collect();
        sql.batch_execute("SET enable_indexscan = off").await?;
        let exact: BTreeSet<i64> = sql.query(&nearest, &[&vector]).await?.iter().map(|row| row.get(0)).collect();
        sql.batch_execute("SET enable_indexscan = on").await?;
        found += got.intersection(&exact).count();
        wanted += exact.len();
    }
    let (ours, theirs) = (Sample::of(ours), Sample::of(theirs));
    let what = format!("{} passages, {} questions", silo.passages, ours.len());
    say(&format!("        {what}: median {:.2} ms through the API, {:.2} ms directly", ours.median(), theirs.median()));
    judge("added at the median", &what, ours.median() - theirs.median(), " ms", Wanted::Under(3.0));
    let recall = number(found) / number(wanted).max(1.0);
    judge("recall of the ten nearest", &format!("against exact search; {what}"), recall, "", Wanted::AtLeast(0.95));
    Ok(())
}
