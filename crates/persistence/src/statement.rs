//! SQL written out, for what the query builder says badly.
//!
//! `diesel::sql_query` is parsed and planned anew at every call. A [`Statement`] is prepared once per connection, because
//! it promises what diesel cannot know: its text is a constant, and everything that varies is bound.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Date, Nullable, Text, Timestamptz, Untyped, Uuid as SqlUuid};
use omni_domain::Timestamp;
use uuid::Uuid;

/// A statement in pieces: constant text and bound values, in the order in which they stand.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statement {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
enum Piece {
    Sql(&'static str),
    Int(i64),
    OptionalInt(Option<i64>),
    Text(String),
    Bool(bool),
    OptionalText(Option<String>),
    Bytes(Vec<u8>),
    OptionalBytes(Option<Vec<u8>>),
    Moment(Timestamp),
    OptionalMoment(Option<Timestamp>),
    Day(time::Date),
    Uuid(Uuid),
    Ints(Vec<i64>),
    OptionalInts(Vec<Option<i64>>),
    Texts(Vec<String>),
    OptionalTexts(Vec<Option<String>>),
    Moments(Vec<Timestamp>),
    ByteStrings(Vec<Vec<u8>>),
    Bools(Vec<bool>),
}

macro_rules! binders {
    ($($(#[$doc:meta])* $name:ident($type:ty) => $piece:ident),* $(,)?) => {$(
        $(#[$doc])*
        pub(crate) fn $name(mut self, value: impl Into<$type>) -> Self {
            self.pieces.push(Piece::$piece(value.into()));
            self
        }
    )*};
}

impl Statement {
    /// Begins with constant text.
    pub(crate) fn new(sql: &'static str) -> Self {
        Self::default().sql(sql)
    }

    /// Goes on with constant text.
    pub(crate) fn sql(mut self, sql: &'static str) -> Self {
        self.pieces.push(Piece::Sql(sql));
        self
    }

    binders! {
        /// Binds a `bigint`.
        int(i64) => Int,
        /// Binds a `bigint` that may be null.
        optional_int(Option<i64>) => OptionalInt,
        /// Binds a `text`.
        text(String) => Text,
        /// Binds a `boolean`.
        boolean(bool) => Bool,
        /// Binds a `text` that may be null.
        optional_text(Option<String>) => OptionalText,
        /// Binds a `bytea`.
        bytes(Vec<u8>) => Bytes,
        /// Binds a `bytea` that may be null.
        optional_bytes(Option<Vec<u8>>) => OptionalBytes,
        /// Binds a `timestamptz`.
        moment(Timestamp) => Moment,
        /// Binds a `timestamptz` that may be null.
        optional_moment(Option<Timestamp>) => OptionalMoment,
        /// Binds a `date`.
        day(time::Date) => Day,
        /// Binds a `uuid`.
        uuid(Uuid) => Uuid,
        /// Binds a `bigint[]`.
        ints(Vec<i64>) => Ints,
        /// Binds a `bigint[]` of values that may be null.
        optional_ints(Vec<Option<i64>>) => OptionalInts,
        /// Binds a `text[]`.
        texts(Vec<String>) => Texts,
        /// Binds a `text[]` of values that may be null.
        optional_texts(Vec<Option<String>>) => OptionalTexts,
        /// Binds a `timestamptz[]`.
        moments(Vec<Timestamp>) => Moments,
        /// Binds a `bytea[]`.
        byte_strings(Vec<Vec<u8>>) => ByteStrings,
        /// Binds a `boolean[]`.
        bools(Vec<bool>) => Bools,
    }
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for piece in &self.pieces {
            match piece {
                Piece::Sql(sql) => pass.push_sql(sql),
                Piece::Int(value) => pass.push_bind_param::<BigInt, _>(value)?,
                Piece::OptionalInt(value) => pass.push_bind_param::<Nullable<BigInt>, _>(value)?,
                Piece::Text(value) => pass.push_bind_param::<Text, _>(value)?,
                Piece::Bool(value) => pass.push_bind_param::<Bool, _>(value)?,
                Piece::OptionalText(value) => pass.push_bind_param::<Nullable<Text>, _>(value)?,
                Piece::Bytes(value) => pass.push_bind_param::<Binary, _>(value)?,
                Piece::OptionalBytes(value) => pass.push_bind_param::<Nullable<Binary>, _>(value)?,
                Piece::Moment(value) => pass.push_bind_param::<Timestamptz, _>(value)?,
                Piece::OptionalMoment(value) => pass.push_bind_param::<Nullable<Timestamptz>, _>(value)?,
                Piece::Day(value) => pass.push_bind_param::<Date, _>(value)?,
                Piece::Uuid(value) => pass.push_bind_param::<SqlUuid, _>(value)?,
                Piece::Ints(values) => pass.push_bind_param::<Array<BigInt>, _>(values)?,
                Piece::OptionalInts(values) => pass.push_bind_param::<Array<Nullable<BigInt>>, _>(values)?,
                Piece::Texts(values) => pass.push_bind_param::<Array<Text>, _>(values)?,
                Piece::OptionalTexts(values) => pass.push_bind_param::<Array<Nullable<Text>>, _>(values)?,
                Piece::Moments(values) => pass.push_bind_param::<Array<Timestamptz>, _>(values)?,
                Piece::ByteStrings(values) => pass.push_bind_param::<Array<Binary>, _>(values)?,
                Piece::Bools(values) => pass.push_bind_param::<Array<Bool>, _>(values)?,
            }
        }
        Ok(())
    }
}

impl QueryId for Statement {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = Untyped;
}
