use omni_testkit::TestDatabase;

use crate::catalogue::dump;

#[tokio::test(flavor = "multi_thread")]
async fn up_down_and_up_again_is_the_same_schema() {
    let database = TestDatabase::empty().await;
    let store = database.store();
    let first = store.migrate().await.unwrap();
    assert!(first.applied.len() >= 4 && first.applied.is_sorted(), "{:?}", first.applied);
    assert!(store.is_migrated().await.unwrap());
    let up = dump(database.sql().await).await;
    assert!(up.len() > 100, "{up:#?}");

    store.revert(first.applied.len()).await.unwrap();
    assert!(!store.is_migrated().await.unwrap());
    assert_eq!(dump(database.sql().await).await, Vec::<String>::new());

    assert_eq!(store.migrate().await.unwrap().applied, first.applied);
    assert_eq!(dump(database.sql().await).await, up);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_down_is_the_schema_of_the_step_before() {
    let database = TestDatabase::empty().await;
    let store = database.store();
    let steps = store.migrate().await.unwrap().applied.len();
    let whole = dump(database.sql().await).await;
    for step in 1..=steps {
        store.revert(step).await.unwrap();
        assert_eq!(store.migrate().await.unwrap().applied.len(), step);
        assert_eq!(dump(database.sql().await).await, whole, "after {step} steps down and up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_together_migrate_once() {
    let database = TestDatabase::empty().await;
    let stores = [database.store(), database.store(), database.store()];
    let [first, second, third] = stores.each_ref().map(omni_persistence::Store::migrate);
    let (first, second, third) = tokio::join!(first, second, third);
    let mut applied: Vec<usize> =
        [first, second, third].into_iter().map(|report| report.unwrap().applied.len()).collect();
    applied.sort_unstable();
    assert_eq!(applied[..2], [0, 0]);
    assert!(applied[2] >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_is_up_to_date_is_left_alone() {
    let database = TestDatabase::new().await;
    let before = dump(database.sql().await).await;
    assert!(database.store().migrate().await.unwrap().applied.is_empty());
    assert_eq!(dump(database.sql().await).await, before);
}
