//! The manifests against the tables of `docs/architecture.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

const PAGE: &str = include_str!("../../../../docs/architecture.md");
/// What the core knows nothing of.
const FRAMEWORKS: &[&str] =
    &["actix-http", "actix-web", "async-nats", "diesel", "diesel-async", "hyper", "reqwest", "tokio", "tokio-postgres"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A crate of the workspace.
pub(crate) struct Member {
    /// What the table calls it: the name of its folder.
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    manifest: Table,
}

impl Member {
    /// What it ships with: dependencies and those of its build script, of every target.
    fn dependencies(&self) -> BTreeSet<String> {
        let targets = self.manifest.get("target").and_then(Value::as_table);
        let of_targets = targets.into_iter().flat_map(Table::values).filter_map(Value::as_table);
        std::iter::once(&self.manifest)
            .chain(of_targets)
            .flat_map(|table| ["dependencies", "build-dependencies"].map(|kind| table.get(kind)))
            .flatten()
            .flat_map(|table| table.as_table().unwrap().keys().cloned())
            .collect()
    }
}

pub(crate) fn members() -> Vec<Member> {
    let mut members = Vec::new();
    for parent in ["crates", "bins"] {
        for entry in fs::read_dir(root().join(parent)).unwrap() {
            let folder = entry.unwrap().path();
            let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else { continue };
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            members.push(Member { name, folder, manifest: manifest.parse().unwrap() });
        }
    }
    assert!(members.len() > 15);
    members
}

/// The name that the table has for a package of ours.
fn short(package: &str) -> Option<String> {
    let name = package.strip_prefix("omni-")?;
    Some(if members().iter().any(|member| member.name == package) { package.to_owned() } else { name.to_owned() })
}

/// The rows of a table whose head begins with `column`, each as its cells without backticks.
fn rows(column: &str) -> Vec<Vec<String>> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.replace('`', "").trim().to_owned()).collect()
    };
    PAGE.lines()
        .skip_while(|line| !line.starts_with(&format!("| {column} |")))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .collect()
}

fn words(cell: &str) -> BTreeSet<String> {
    cell.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
}

/// Of each crate its layer and what it may depend on.
fn allowed() -> BTreeMap<String, (String, BTreeSet<String>)> {
    rows("crate").into_iter().map(|row| (row[0].clone(), (row[1].clone(), words(&row[2])))).collect()
}

#[test]
fn no_crate_depends_on_what_the_table_does_not_allow() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    for member in members() {
        let Some((_, may)) = allowed.get(&member.name) else {
            wrong.push(format!("{} has no row", member.name));
            continue;
        };
        let does: BTreeSet<String> = member.dependencies().iter().filter_map(|name| short(name)).collect();
        wrong.extend(does.difference(may).map(|other| format!("{} -> {other}", member.name)));
    }
    assert!(wrong.is_empty(), "arrows that docs/architecture.md does not have: {wrong:#?}");
}

#[test]
fn the_table_itself_only_points_down() {
    const LAYERS: [&str; 6] = ["core", "adapters", "use cases", "edges", "programs", "tests"];
    let allowed = allowed();
    let height = |name: &str| {
        let layer = allowed.get(name).unwrap_or_else(|| panic!("{name} has no row")).0.as_str();
        LAYERS.iter().position(|known| *known == layer).unwrap_or_else(|| panic!("there is no layer {layer}"))
    };
    for (name, (layer, may)) in &allowed {
        for other in may {
            assert!(height(name) >= height(other), "{name} ({layer}) may not know {other} above it");
            let are_use_cases = layer == "use cases" && allowed[other].0 == "use cases";
            assert!(!are_use_cases, "use cases never know one another: {name} -> {other}");
            assert!(layer == "tests" || allowed[other].0 != "tests", "{name} ships, and {other} does not");
        }
    }
}

#[test]
fn foreign_crates_stay_in_their_rooms() {
    let rooms: Vec<(BTreeSet<String>, BTreeSet<String>)> =
        rows("foreign crate").into_iter().map(|row| (words(&row[0]), words(&row[1]))).collect();
    assert!(rooms.len() >= 3);
    for member in members() {
        let does = member.dependencies();
        for (foreign, room) in &rooms {
            let met: Vec<_> = does.intersection(foreign).collect();
            assert!(met.is_empty() || room.contains(&member.name), "{} depends on {met:?}", member.name);
        }
    }
}

#[test]
fn the_core_knows_no_framework_not_even_by_way_of_others() {
    let members = members();
    let by_name = |name: &str| members.iter().find(|member| member.name == name).unwrap();
    for start in ["domain", "rbac", "registry"] {
        let mut waiting = vec![start.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(name) = waiting.pop() {
            let does = by_name(&name).dependencies();
            let known: Vec<_> = does.iter().filter(|name| FRAMEWORKS.contains(&name.as_str())).collect();
            assert!(known.is_empty(), "{start} knows {known:?} by way of {name}");
            waiting.extend(does.iter().filter_map(|name| short(name)).filter(|name| seen.insert(name.clone())));
        }
    }
}

#[test]
fn every_crate_keeps_the_lints_of_the_house() {
    for member in members() {
        let lints = member.manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(Value::as_bool);
        assert_eq!(lints, Some(true), "{} has no `[lints] workspace = true`", member.name);
        let own = member.dependencies_with_a_version_of_their_own();
        assert!(own.is_empty(), "{}: {own:?} belong into the table of the workspace", member.name);
    }
}

impl Member {
    fn dependencies_with_a_version_of_their_own(&self) -> Vec<&String> {
        ["dependencies", "dev-dependencies", "build-dependencies"]
            .into_iter()
            .filter_map(|kind| self.manifest.get(kind)?.as_table())
            .flatten()
            .filter(|(_, value)| value.get("workspace").and_then(Value::as_bool) != Some(true))
            .map(|(name, _)| name)
            .collect()
    }
}
