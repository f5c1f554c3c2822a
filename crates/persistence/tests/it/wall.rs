//! The second wall, gone at from behind the first: statements that forget their filter.

use omni_domain::{AgentDraft, AppDraft, Memory, Timestamp};
use omni_persistence::Store;
use omni_rbac::{Owner, SystemGrant};
use omni_testkit::{Mint, TestDatabase};

fn agent(name: &str) -> AgentDraft {
    AgentDraft {
        name: name.to_owned(),
        description: None,
        system_prompt: None,
        prompt_template: None,
        service: None,
        silo: None,
        temperature: None,
        max_tokens: None,
        memory: Memory::default(),
    }
}

/// An app of this person's with so many agents; what the grant that its owner gets is good for.
async fn app(mint: &Mint, store: &Store, email: &str, agents: usize) -> omni_rbac::Grant<Owner> {
    let now = Timestamp::UNIX_EPOCH;
    let session = mint.session(email).await;
    let draft = AppDraft { name: email.to_owned(), agent_rate_limit: 0, max_file_size_mb: 0 };
    let app = store.create_app(&session, &draft, now).await.unwrap();
    let grant = mint.grant::<Owner>(&session, app.id).await;
    for number in 0..agents {
        store.create_agent(&grant.at(), &agent(&format!("agent {number}")), now).await.unwrap();
    }
    grant
}

#[tokio::test]
async fn a_statement_without_a_filter_finds_what_is_of_the_grants_app_and_nothing_else() {
    let database = TestDatabase::new().await;
    let store = database.store();
    let mint = Mint::over(&database);
    let ours = app(&mint, &store, "ours@example.com", 2).await;
    let theirs = app(&mint, &store, "theirs@example.com", 3).await;
    for (grant, agents) in [(&ours, 2), (&theirs, 3), (&ours, 2)] {
        let found = store.rows_without_filter(&grant.at()).await.unwrap();
        assert_eq!((found["apps"], found["agents"]), (1, agents), "{found:?}");
        assert!(found.len() >= 10, "{found:?}");
    }
    // The login itself sees all, so it is the wall that hides the others.
    let all: i64 = database.sql().await.query_one("SELECT count(*) FROM agents", &[]).await.unwrap().get(0);
    assert_eq!(all, 5);
}

#[tokio::test]
async fn a_row_of_another_app_can_neither_be_written_nor_moved() {
    let database = TestDatabase::new().await;
    let store = database.store();
    let mint = Mint::over(&database);
    let ours = app(&mint, &store, "ours@example.com", 1).await.app();
    let theirs = app(&mint, &store, "theirs@example.com", 1).await.app();
    let sql = database.sql().await;
    let behind = format!("SET ROLE omni_behind_the_wall; SET omni.app = '{ours}'; ");
    for (statement, refused) in [
        (format!("UPDATE agents SET app_id = {theirs}"), true),
        (format!("INSERT INTO app_minutes VALUES ({theirs}, now(), 1)"), true),
        (format!("UPDATE agents SET name = 'x' WHERE app_id = {theirs}"), false),
        (format!("DELETE FROM agents WHERE app_id = {theirs}"), false),
    ] {
        let outcome = sql.batch_execute(&format!("BEGIN; {behind} {statement}; COMMIT")).await;
        sql.batch_execute("ROLLBACK; RESET ROLE").await.unwrap();
        assert_eq!(outcome.is_err(), refused, "{statement}: {outcome:?}");
    }
    let names = sql.query("SELECT name FROM agents WHERE name <> 'agent 0'", &[]).await.unwrap();
    assert!(names.is_empty());
    let left: i64 = sql.query_one("SELECT count(*) FROM agents", &[]).await.unwrap().get(0);
    assert_eq!(left, 2);
}

#[tokio::test]
async fn who_says_nothing_sees_nothing() {
    let database = TestDatabase::new().await;
    let store = database.store();
    let mint = Mint::over(&database);
    app(&mint, &store, "ours@example.com", 1).await;
    let sql = database.sql().await;
    for said in ["", "SET omni.app = '';", "SET omni.app = 'x';", "SET omni.app = '-1';", "SET omni.app = '1 OR true';"]
    {
        sql.batch_execute(&format!("SET ROLE omni_behind_the_wall; {said}")).await.unwrap();
        let seen: i64 = sql.query_one("SELECT count(*) FROM agents", &[]).await.unwrap().get(0);
        assert_eq!(seen, 0, "{said}");
        sql.batch_execute("RESET ROLE; RESET omni.app").await.unwrap();
    }
}

#[tokio::test]
async fn the_wall_has_no_gaps() {
    let database = TestDatabase::new().await;
    let leave = SystemGrant::because("a test of the wall");
    assert_eq!(database.store().gaps_in_second_wall(&leave).await.unwrap(), Vec::<String>::new());
    // What an `app_id` is in is fenced by name, whoever connects.
    let open = database
        .sql()
        .await
        .query(
            "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'app_id' \
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped \
               AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS ( \
                 SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'of_one_app'))",
            &[],
        )
        .await
        .unwrap();
    let open: Vec<String> = open.iter().map(|row| row.get(0)).collect();
    assert!(open.is_empty(), "SELECT omni_fence(…) in the migration of {open:?}");
}

#[tokio::test]
async fn vectors_are_seen_by_the_app_of_their_silo() {
    let database = TestDatabase::new().await;
    let store = database.store();
    let mint = Mint::over(&database);
    let ours = app(&mint, &store, "ours@example.com", 0).await.app();
    let theirs = app(&mint, &store, "theirs@example.com", 0).await.app();
    let sql = database.sql().await;
    for (app, id) in [(ours, 1), (theirs, 2)] {
        let rows = format!(
            "INSERT INTO silos (silo_id, app_id, name, silo_type, vector_db_type, retrieval_count, create_date, update_date) \
             VALUES ({id}, {app}, 'A silo', 'CUSTOM', 'PGVECTOR', 5, now(), now()); \
             INSERT INTO documents (document_id, app_id, silo_id, name, media_type, bytes, status, create_date, update_date) \
             VALUES ({id}, {app}, {id}, 'A text', 'text/plain', 1, 'ready', now(), now()); \
             INSERT INTO chunks (chunk_id, app_id, silo_id, document_id, ordinal, content, start_at, end_at) \
             VALUES ({id}, {app}, {id}, {id}, 0, 'a', 0, 1); \
             INSERT INTO chunk_vectors VALUES ({id}, 1, {id}, '[1,2]')"
        );
        sql.batch_execute(&rows).await.unwrap();
    }
    for (said, seen) in [(ours.to_string(), vec![1]), ("*".to_owned(), vec![1, 2]), (String::new(), vec![])] {
        let said = format!("SET ROLE omni_behind_the_wall; SET omni.app = '{said}'");
        sql.batch_execute(&said).await.unwrap();
        let rows = sql.query("SELECT chunk_id FROM chunk_vectors ORDER BY 1", &[]).await.unwrap();
        let rows: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(rows, seen, "{said}");
    }
    sql.batch_execute(&format!("SET omni.app = '{ours}'")).await.unwrap();
    let planted = sql.batch_execute("INSERT INTO chunk_vectors VALUES (2, 2, 2, '[1,2]')").await;
    assert!(planted.is_err(), "nothing is put into another app's silo");
}

/// The tables that are not behind the wall. One that is of an app and has no `app_id` would not be missed otherwise: whoever
/// makes a table without one says here that it needs no wall, and why.
const OUTSIDE: &[(&str, &str)] = &[
    ("__diesel_schema_migrations", "the schema's own"),
    ("allowances", "counts by a key, a person or an address"),
    (
        "chunk_words",
        "words without an order that say nothing without the row of `chunks`, which is fenced; its index (ADR 9)",
    ),
    ("forgotten_blobs", "names of contents that nothing refers to any more; they outlive the app"),
    ("forgotten_points", "what another server is to forget; it outlives the app"),
    ("identities", "of people, not of apps"),
    ("installation", "the one row of the installation"),
    ("runners", "processes"),
    ("service_commands", "the control plane's"),
    ("service_slots", "the control plane's"),
    ("services", "the control plane's"),
    ("sessions", "of people, not of apps"),
    ("sign_in_attempts", "of nobody yet"),
    ("users", "of people, not of apps"),
];

#[tokio::test]
async fn every_table_that_has_no_wall_is_known() {
    let database = TestDatabase::new().await;
    let open = database
        .sql()
        .await
        .query(
            "SELECT relname::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace \
             AND NOT (relrowsecurity AND relforcerowsecurity) ORDER BY 1",
            &[],
        )
        .await
        .unwrap();
    let open: Vec<String> = open.iter().map(|row| row.get(0)).collect();
    let known: Vec<&str> = OUTSIDE.iter().map(|(table, _)| *table).collect();
    assert_eq!(open, known, "left is what has no wall, right is what needs none");
}

#[tokio::test]
async fn an_owner_who_is_no_superuser_is_behind_the_wall_too() {
    let database = TestDatabase::empty().await;
    let sql = database.sql().await;
    let name = format!("owner_of_{}", database.name());
    sql.batch_execute(&format!(
        "CREATE EXTENSION vector; CREATE ROLE {name} LOGIN; ALTER DATABASE {} OWNER TO {name}",
        database.name()
    ))
    .await
    .unwrap();
    let url = database.url().replacen("omni@", &format!("{name}@"), 1);
    assert_ne!(url, database.url(), "the test's server has another login now");
    let store =
        Store::new(&omni_persistence::Options { url, connections: 2, patience: std::time::Duration::from_secs(10) })
            .unwrap();
    let migrated = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let applied = store.migrate().await.map(|report| report.applied.len());
            let leave = SystemGrant::because("a test of the wall");
            (applied, store.gaps_in_second_wall(&leave).await)
        })
    });
    let (applied, gaps) = migrated.await.unwrap();
    assert!(applied.unwrap() > 5);
    assert_eq!(gaps.unwrap(), Vec::<String>::new());
    sql.batch_execute(&format!("REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}"))
        .await
        .unwrap();
}
