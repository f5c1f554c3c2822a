//! Rules that hold for every table, those of tomorrow included.

use omni_testkit::TestDatabase;

#[tokio::test]
async fn no_reference_can_point_into_another_app() {
    let database = TestDatabase::new().await;
    // Between two tables that both belong to apps, a reference that leaves the app out can cross over.
    let careless = database
        .sql()
        .await
        .query(
            "WITH of_app AS (SELECT attrelid, attnum FROM pg_attribute WHERE attname = 'app_id' AND NOT attisdropped) \
             SELECT format('%s: %s', c.conrelid::regclass, pg_get_constraintdef(c.oid)) FROM pg_constraint c \
             JOIN of_app a ON a.attrelid = c.conrelid JOIN of_app b ON b.attrelid = c.confrelid \
             WHERE c.contype = 'f' AND c.confrelid <> 'apps'::regclass \
               AND NOT (a.attnum = ANY (c.conkey) AND b.attnum = ANY (c.confkey))",
            &[],
        )
        .await
        .unwrap();
    let careless: Vec<String> = careless.iter().map(|row| row.get(0)).collect();
    assert!(careless.is_empty(), "{careless:#?}");
}

#[tokio::test]
async fn every_table_of_an_app_goes_with_the_app() {
    let database = TestDatabase::new().await;
    let staying = database
        .sql()
        .await
        .query(
            "WITH RECURSIVE going AS ( \
               SELECT 'apps'::regclass::oid AS oid \
               UNION SELECT c.conrelid FROM pg_constraint c JOIN going g ON g.oid = c.confrelid \
               WHERE c.contype = 'f' AND c.confdeltype = 'c' AND EXISTS ( \
                 SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attname = 'app_id' \
                   AND a.attnum = ANY (c.conkey))) \
             SELECT t.oid::regclass::text FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'app_id' \
             WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace AND t.oid NOT IN (SELECT oid FROM going)",
            &[],
        )
        .await
        .unwrap();
    let staying: Vec<String> = staying.iter().map(|row| row.get(0)).collect();
    assert!(staying.is_empty(), "{staying:#?}");
}

#[tokio::test]
async fn every_reference_can_be_followed_backwards_by_an_index() {
    let database = TestDatabase::new().await;
    // Without one, deleting what is referred to reads the whole table that refers.
    let slow = database
        .sql()
        .await
        .query(
            "SELECT format('%s: %s', c.conrelid::regclass, pg_get_constraintdef(c.oid)) FROM pg_constraint c \
             WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace AND NOT EXISTS ( \
               SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = ANY (c.conkey))",
            &[],
        )
        .await
        .unwrap();
    let slow: Vec<String> = slow.iter().map(|row| row.get(0)).collect();
    assert!(slow.is_empty(), "{slow:#?}");
}
