//! PostgreSQL and nats-server as the distribution or the operator installed them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{NatsProgram, PostgresPrograms};
use crate::Places;

/// The oldest PostgreSQL whose `pg_ident.conf` can map one person to every role.
const OLDEST_POSTGRES: u32 = 16;
/// The oldest pgvector that keeps looking when a filter has eaten the nearest neighbours.
const OLDEST_PGVECTOR: (u32, u32) = (0, 8);
/// The oldest NATS that the platform's client is built for.
const OLDEST_NATS: (u32, u32) = (2, 10);

/// Directories that hold one `bin` per installed version, by distribution: Debian, Red Hat, Homebrew.
const VERSIONED: [(&str, &str); 4] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql@"),
    ("/usr/local/opt", "postgresql@"),
];
/// Where servers are that a person's `PATH` leaves out.
const SYSTEM_PATH: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/usr/local/pgsql/bin"];

/// Every PostgreSQL of the system that has pgvector, newest first.
pub(super) fn postgres(places: &Places) -> Vec<PostgresPrograms> {
    let mut found: Vec<_> = bin_directories(places).iter().filter_map(|bin| usable_postgres(bin)).collect();
    found.sort_by_key(|programs| std::cmp::Reverse(programs.major));
    found.dedup();
    found
}

/// The `nats-server` of the system.
pub(super) fn nats(places: &Places) -> Option<NatsProgram> {
    let mut candidates = search_path(places).map(|directory| directory.join("nats-server"));
    let path = candidates.find(|program| {
        program.is_file()
            && answer(program, "--version").and_then(|said| version(&said)).is_some_and(|v| v >= OLDEST_NATS)
    })?;
    Some(NatsProgram { path })
}

fn search_path(places: &Places) -> impl Iterator<Item = PathBuf> {
    places.path.iter().cloned().chain(SYSTEM_PATH.map(PathBuf::from))
}

fn bin_directories(places: &Places) -> Vec<PathBuf> {
    let versioned = VERSIONED.iter().flat_map(|(parent, prefix)| {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let named =
            entries.filter(move |entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(prefix)));
        named.map(|entry| entry.path().join("bin"))
    });
    // A link in the path (`/usr/local/bin/postgres`) leads to the directory that has the rest as well.
    let on_path = search_path(places).filter_map(|directory| fs::canonicalize(directory.join("postgres")).ok());
    versioned.chain(on_path.filter_map(|program| Some(program.parent()?.to_owned()))).collect()
}

fn usable_postgres(bin: &Path) -> Option<PostgresPrograms> {
    let initdb = bin.join("initdb");
    let (major, _) = version(&answer(&bin.join("postgres"), "--version")?)?;
    let usable = initdb.is_file() && major >= OLDEST_POSTGRES && pgvector(bin, major)? >= OLDEST_PGVECTOR;
    usable.then(|| PostgresPrograms { bin: bin.to_owned(), major })
}

/// The version of pgvector that `CREATE EXTENSION vector` would install.
fn pgvector(bin: &Path, major: u32) -> Option<(u32, u32)> {
    let told = answer(&bin.join("pg_config"), "--sharedir").map(|said| PathBuf::from(said.trim()));
    let guesses = [
        PathBuf::from(format!("/usr/share/postgresql/{major}")),
        bin.join("../share/postgresql"),
        bin.join("../share"),
    ];
    let control = told
        .into_iter()
        .chain(guesses)
        .find_map(|share| fs::read_to_string(share.join("extension/vector.control")).ok())?;
    version(control.lines().find(|line| line.trim_start().starts_with("default_version"))?)
}

fn answer(program: &Path, question: &str) -> Option<String> {
    let output = Command::new(program).arg(question).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first two numbers of the first thing in `text` that looks like a version.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut words = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    words.find_map(|word| {
        let mut numbers = word.split('.');
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        assert_eq!(version("postgres (PostgreSQL) 17.5 (Debian 17.5-1)"), Some((17, 5)));
        assert_eq!(version("nats-server: v2.10.27"), Some((2, 10)));
        assert_eq!(version("default_version = '0.8.0'"), Some((0, 8)));
        assert_eq!(version("no version here."), None);
    }
}
