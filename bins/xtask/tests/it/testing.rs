use std::fs;
use std::process::Stdio;

use crate::setting::StandIns;

/// A test that passes only with the servers that it was promised, and with `ending`.
fn give_a_test(stand_ins: &StandIns, ending: &str) {
    let test = format!(
        "#[test] fn t() {{
            let at = |name: &str| std::env::var(name).unwrap();
            assert!(at(\"OMNI_TEST_DATABASE_URL\").starts_with(\"postgresql://omni@\"));
            assert!(at(\"OMNI_TEST_NATS_URL\").starts_with(\"nats://omni:\"));
            {ending}
        }}"
    );
    fs::create_dir_all(stand_ins.path().join("gateway/tests")).unwrap();
    fs::write(stand_ins.path().join("gateway/tests/it.rs"), test).unwrap();
}

#[test]
fn the_tests_get_their_servers_and_the_code_is_theirs() {
    let stand_ins = StandIns::new();
    for (ending, success) in [("", true), ("panic!(\"on purpose\");", false)] {
        give_a_test(&stand_ins, ending);
        let mut xtask = stand_ins.xtask(&["test"]);
        xtask.env_remove("OMNI_TEST_DATABASE_URL").env_remove("OMNI_TEST_NATS_URL");
        let output = xtask.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.success(), success, "{said}");
        assert!(said.contains("PostgreSQL (process "), "{said}");
    }
}

#[test]
fn servers_that_somebody_gave_are_used() {
    let stand_ins = StandIns::new();
    give_a_test(&stand_ins, "assert_eq!(at(\"OMNI_TEST_NATS_URL\"), \"nats://omni:x@given\");");
    let mut xtask = stand_ins.xtask(&["test", "--package", "gateway", "--test", "it"]);
    xtask.env("OMNI_TEST_DATABASE_URL", "postgresql://omni@given").env("OMNI_TEST_NATS_URL", "nats://omni:x@given");
    let output = xtask.stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("PostgreSQL (process "), "{said}");
}
