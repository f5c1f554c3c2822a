#![cfg(test)]
//! The schema, against a real PostgreSQL.

mod catalogue;
mod migrating;
mod references;
mod sessions;
mod tables;
mod vector_indexes;
mod wall;
