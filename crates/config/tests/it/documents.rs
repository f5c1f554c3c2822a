use std::fs;
use std::path::Path;

use omni_config::{Config, reference_markdown, sample_toml};

use crate::{FAKE, environment, file, load_file};

fn assert_fresh(path: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(stored == made, "{} is not what the table of settings makes: run `cargo xtask gen`", path.display());
}

#[test]
fn the_reference_is_up_to_date() {
    assert_fresh("docs/configuration.md", &reference_markdown());
}

#[test]
fn the_sample_file_is_up_to_date() {
    assert_fresh("omni.example.toml", &sample_toml());
}

#[test]
fn the_sample_file_as_it_is_changes_nothing() {
    let without = Config::load(None, &environment([FAKE])).unwrap();
    let with = load_file(&sample_toml(), [FAKE]).unwrap();
    assert_eq!(format!("{with:?}"), format!("{without:?}"));
}

#[test]
fn the_sample_file_with_everything_switched_on_is_a_configuration() {
    let switched_on: String = sample_toml()
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| rest.starts_with(char::is_alphabetic)).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let loaded = Config::load(Some(file(&switched_on).path()), &environment([])).unwrap();
    for line in loaded.redacted_report().lines() {
        assert_eq!(line.split_whitespace().nth(1), Some("file"), "{line}");
    }
}
