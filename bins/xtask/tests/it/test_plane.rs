use std::fs;
use std::process::{Child, Command};

use crate::setting::{Running, StandIns, eventually};

/// Stands for a test runner.
fn runner() -> Child {
    Command::new("sleep").arg("1000").spawn().unwrap()
}

fn ask(stand_ins: &StandIns, runner: &Child) -> Running {
    let mut xtask = stand_ins.xtask(&["test-plane", "--until-parent-exits", &runner.id().to_string()]);
    xtask.env_remove("OMNI_TEST_DATABASE_URL").env_remove("OMNI_TEST_NATS_URL");
    Running::start(xtask)
}

#[test]
fn everybody_of_one_runner_gets_the_same_servers_until_it_ends() {
    let stand_ins = StandIns::new();
    let mut runner = runner();
    let mut callers = [ask(&stand_ins, &runner), ask(&stand_ins, &runner), ask(&stand_ins, &runner)];
    let lines = callers.each_mut().map(|caller| caller.line().unwrap());
    assert!(lines.iter().all(|line| *line == lines[0]), "{lines:?}");
    let urls: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert!(urls["database_url"].as_str().unwrap().starts_with("postgresql://omni@"));
    assert!(urls["nats_url"].as_str().unwrap().starts_with("nats://omni:"));

    // All but the one that serves have said all there is to say.
    eventually("one is left", || {
        callers.iter_mut().filter_map(|caller| caller.process.try_wait().unwrap()).count() == 2
    });
    runner.kill().unwrap();
    runner.wait().unwrap();
    assert!(callers.iter_mut().all(|caller| caller.exit_code() == Some(0)));
    assert_eq!(fs::read_dir(stand_ins.path().join("target/test-plane")).unwrap().count(), 0);
}

#[test]
fn a_runner_that_is_gone_already_gets_nothing() {
    let stand_ins = StandIns::new();
    let mut runner = runner();
    runner.kill().unwrap();
    runner.wait().unwrap();
    let mut late = ask(&stand_ins, &runner);
    assert_eq!((late.line(), late.exit_code()), (None, Some(1)));
}
