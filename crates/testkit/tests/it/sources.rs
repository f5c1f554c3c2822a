//! Rules about the text of the source files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::architecture::{members, root};

/// A file with more lines than this is two.
const MOST_LINES: usize = 500;

/// Where the program acts for nobody: `crates/…` or `bins/…`, and how often. Each is a place to review; a new one is a
/// change of this list.
const SYSTEM_GRANTS: &[(&str, usize)] = &[
    ("bins/omni-api/src/master_key.rs", 1),
    ("bins/omni-api/src/run.rs", 4),
    ("crates/api-control/src/leases.rs", 1),
    ("crates/knowledge/src/domains.rs", 1),
    ("crates/knowledge/src/files.rs", 1),
    ("crates/knowledge/src/forgetting.rs", 2),
    ("crates/knowledge/src/indexes.rs", 1),
    ("crates/knowledge/src/jobs.rs", 2),
    ("crates/knowledge/src/jobs/lease.rs", 1),
    ("crates/turns/src/turns.rs", 2),
];

/// Every Rust file of the workspace with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    for member in members() {
        collect(&member.folder, &mut sources);
    }
    assert!(sources.len() > 200);
    sources
}

fn collect(folder: &Path, sources: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") {
                collect(&path, sources);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            sources.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
}

/// Whether the file is part of nothing that ships.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| ["tests", "examples", "testkit"].iter().any(|folder| part.as_os_str() == *folder))
}

#[test]
fn no_file_has_more_lines_than_a_reader_has_patience() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn the_program_acts_for_nobody_only_where_it_is_known_to() {
    let sources = sources();
    let mut found = BTreeMap::new();
    for (path, text) in sources.iter().filter(|(path, _)| !is_test(path)) {
        let times = text.matches("SystemGrant::because(").count();
        if times > 0 {
            found.insert(path.to_str().unwrap(), times);
        }
    }
    let known: BTreeMap<&str, usize> = SYSTEM_GRANTS.iter().copied().collect();
    assert_eq!(found, known, "left is what the sources have, right is the list");
}

#[test]
fn one_place_makes_the_authority() {
    let mints: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| !is_test(path) && text.contains("Authority::new("))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(mints, [PathBuf::from("bins/omni-api/src/assembly.rs")]);
}

#[test]
fn nothing_waits_by_sleeping_in_a_test() {
    // In two pieces, or this file would be one of them.
    let sleeping = concat!("thread::", "sleep");
    let asleep: Vec<_> = sources()
        .into_iter()
        .filter(|(path, text)| path.components().any(|part| part.as_os_str() == "tests") && text.contains(sleeping))
        .map(|(path, _)| path)
        .collect();
    assert!(asleep.is_empty(), "wait for a condition with a deadline: {asleep:#?}");
}
