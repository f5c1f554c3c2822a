//! The tables of the query builder against those of the database.

use std::collections::BTreeMap;

use omni_testkit::TestDatabase;

const SCHEMA: &str = include_str!("../../src/schema.rs");

type Tables = BTreeMap<String, BTreeMap<String, (String, bool)>>;

/// What `schema.rs` says: of each table the columns, each with PostgreSQL's name of its type and whether it may be null.
fn declared() -> Tables {
    let mut tables = Tables::new();
    let mut table = None;
    for line in SCHEMA.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (").filter(|_| line.ends_with(") {")) {
            table = Some(name.to_owned());
        } else if let (Some(table), Some((column, declared))) = (&table, line.split_once(" -> ")) {
            let declared = declared.trim_end_matches(',');
            let inner = declared.strip_prefix("Nullable<").and_then(|rest| rest.strip_suffix('>'));
            let column_type = (postgres_name(inner.unwrap_or(declared)).to_owned(), inner.is_some());
            tables.entry(table.clone()).or_default().insert(column.to_owned(), column_type);
        }
    }
    tables
}

fn postgres_name(diesel: &str) -> &str {
    match diesel {
        "BigInt" | "Int8" => "int8",
        "Integer" | "Int4" => "int4",
        "Text" => "text",
        "Bool" => "bool",
        "Timestamptz" => "timestamptz",
        "Binary" | "Bytea" => "bytea",
        "Float4" => "float4",
        "Float8" | "Double" => "float8",
        "Uuid" => "uuid",
        "Date" => "date",
        "Jsonb" => "jsonb",
        other => panic!("what is `{other}` in PostgreSQL?"),
    }
}

#[tokio::test]
async fn the_query_builder_knows_every_column_as_it_is() {
    let declared = declared();
    assert!(declared.len() >= 5, "{declared:?}");
    let database = TestDatabase::new().await;
    let columns = database
        .sql()
        .await
        .query(
            "SELECT table_name::text, column_name::text, udt_name::text, is_nullable = 'YES' \
             FROM information_schema.columns WHERE table_schema = 'public'",
            &[],
        )
        .await
        .unwrap();
    let mut there = Tables::new();
    for row in columns {
        there.entry(row.get(0)).or_default().insert(row.get(1), (row.get(2), row.get(3)));
    }
    for (table, columns) in declared {
        assert_eq!(Some(&columns), there.get(&table), "{table}: left is schema.rs, right is the database");
    }
}
