//! What the kit promises to the tests that use it.

use std::time::Instant;

use omni_domain::{Clock, Entropy};
use omni_testkit::{Connection, ManualClock, SeededEntropy, TestApi, TestDatabase, TestPlane, eventually};

#[tokio::test]
async fn a_database_is_of_one_test_and_gone_afterwards() {
    let (one, other) = (TestDatabase::new().await, TestDatabase::new().await);
    assert_ne!(one.name(), other.name());
    let person = "INSERT INTO users (email, name, create_date) VALUES ('a@b.c', 'a', now())";
    one.sql().await.batch_execute(person).await.unwrap();
    assert_eq!((one.snapshot().await.rows("users"), other.snapshot().await.rows("users")), (1, 0));

    let admin = Connection::open(&TestPlane::get().database_url).await;
    let exists = format!("SELECT FROM pg_database WHERE datname = '{}'", one.name());
    assert!(admin.any(&exists).await);
    drop(one);
    assert!(!admin.any(&exists).await);
}

#[tokio::test]
async fn a_snapshot_sees_every_change() {
    let database = TestDatabase::new().await;
    let sql = database.sql().await;
    let before = database.snapshot().await;
    assert!(database.snapshot().await == before);
    sql.batch_execute("INSERT INTO users (email, name, create_date) VALUES ('a@b.c', 'a', now())").await.unwrap();
    let after = database.snapshot().await;
    assert!(after != before);
    sql.batch_execute("UPDATE users SET name = 'b'").await.unwrap();
    assert!(database.snapshot().await != after);
}

#[tokio::test]
async fn a_database_is_made_in_no_time() {
    // The first one may have to make the template.
    drop(TestDatabase::new().await);
    let started = Instant::now();
    for _ in 0..5 {
        drop(TestDatabase::new().await);
    }
    let took = started.elapsed() / 5;
    assert!(took.as_millis() < 2_000, "a database took {took:?}");
}

#[tokio::test]
async fn a_server_that_is_dropped_is_gone() {
    let api = TestApi::start().await;
    let address = api.address();
    api.anonymous().get("/healthz").send().await.expect(200);
    drop(api);
    eventually("nobody listens", async || tokio::net::TcpStream::connect(address).await.err()).await;
}

#[test]
fn the_clock_stands_still_until_it_is_moved() {
    let clock = ManualClock::default();
    let (shared, before) = (clock.clone(), clock.now());
    assert_eq!(clock.now(), before);
    shared.advance(time::Duration::minutes(5));
    assert_eq!(clock.now() - before, time::Duration::minutes(5));
}

#[test]
fn seeded_randomness_repeats_and_does_not_repeat_itself() {
    let draw = |entropy: &SeededEntropy| {
        let mut bytes = [0; 40];
        entropy.fill(&mut bytes);
        bytes
    };
    let (one, same, other) = (SeededEntropy::new(1), SeededEntropy::new(1), SeededEntropy::new(2));
    let first = draw(&one);
    assert_eq!(first, draw(&same));
    assert_ne!(first, draw(&one));
    assert_ne!(first, draw(&other));
}
