//! The index that a large silo has of its own.

use omni_domain::{AppDraft, Timestamp};
use omni_rbac::SystemGrant;
use omni_testkit::{Mint, TestDatabase};

const LIMIT: u64 = 100;

struct Silo {
    database: TestDatabase,
}

impl Silo {
    async fn of(vectors: u64) -> Self {
        let database = TestDatabase::new().await;
        let session = Mint::over(&database).session("owner@example.com").await;
        let draft = AppDraft { name: "App".to_owned(), agent_rate_limit: 0, max_file_size_mb: 0 };
        let app = database.store().create_app(&session, &draft, Timestamp::UNIX_EPOCH).await.unwrap().id;
        let rows = format!(
            "INSERT INTO silos (silo_id, app_id, name, silo_type, vector_db_type, retrieval_count, embedding_model, \
               dimensions, create_date, update_date) VALUES (7, {app}, 'Silo', 'CUSTOM', 'PGVECTOR', 5, 'm', 3, now(), now()); \
             INSERT INTO documents (app_id, silo_id, name, media_type, bytes, status, create_date, update_date) \
               VALUES ({app}, 7, 'Document', 'text/plain', 1, 'ready', now(), now())"
        );
        database.sql().await.batch_execute(&rows).await.unwrap();
        let silo = Self { database };
        silo.holds(vectors).await;
        silo
    }

    async fn holds(&self, vectors: u64) {
        self.run(&format!("UPDATE documents SET chunk_count = {vectors}")).await;
    }

    async fn run(&self, sql: &str) {
        self.database.sql().await.batch_execute(sql).await.unwrap();
    }

    /// How many were built, and those that there are now, with whether they are whole.
    async fn tended(&self) -> (usize, Vec<(String, bool)>) {
        let leave = SystemGrant::because("a test of indexes");
        let built = self.database.store().tend_vector_indexes(&leave, LIMIT).await.unwrap();
        let there = "SELECT c.relname::text, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
                     WHERE starts_with(c.relname, 'chunk_vectors_of_silo_') ORDER BY 1";
        let there = self.database.sql().await.query(there, &[]).await.unwrap();
        (built, there.iter().map(|row| (row.get(0), row.get(1))).collect())
    }
}

fn whole() -> Vec<(String, bool)> {
    vec![("chunk_vectors_of_silo_7_1".to_owned(), true)]
}

#[tokio::test]
async fn it_stays_while_its_silo_is_about_as_large_and_goes_when_that_is_half_as_large() {
    let silo = Silo::of(LIMIT - 1).await;
    assert_eq!(silo.tended().await, (0, Vec::new()));
    silo.holds(LIMIT).await;
    assert_eq!(silo.tended().await, (1, whole()));
    for vectors in [LIMIT - 1, LIMIT, LIMIT / 2] {
        silo.holds(vectors).await;
        assert_eq!(silo.tended().await, (0, whole()), "{vectors}");
    }
    silo.holds(LIMIT / 2 - 1).await;
    assert_eq!(silo.tended().await, (0, Vec::new()));
}

#[tokio::test]
async fn what_a_build_that_was_broken_off_has_left_goes_though_its_silo_is_gone() {
    let silo = Silo::of(LIMIT).await;
    silo.tended().await;
    let broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'chunk_vectors_of_silo_7_1'::regclass";
    silo.run(broken).await;
    assert_eq!(silo.tended().await, (1, whole()), "it is built again");
    silo.run(broken).await;
    silo.run("DELETE FROM silos").await;
    assert_eq!(silo.tended().await, (0, Vec::new()));
}
