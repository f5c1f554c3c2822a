use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::simulation::Simulation;
use super::step::{slots, steps};

proptest! {
    #![proptest_config(Config { cases: 1000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whatever_happens_the_registry_keeps_its_promises(types in slots(), steps in steps()) {
        let mut simulation = Simulation::new(&types);
        for step in &steps {
            simulation.take(step);
        }
        simulation.settle();
    }
}

/// The property above says nothing about what never comes to pass; so chance must reach all of it.
#[test]
fn chance_reaches_everything_that_can_happen() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..300 {
        let (types, steps) = (slots(), steps()).new_tree(&mut runner).unwrap().current();
        let mut simulation = Simulation::new(&types);
        for step in &steps {
            simulation.take(step);
        }
        simulation.settle();
        seen.append(&mut simulation.witness.seen);
    }
    let expected = [
        "a write was refused",
        "expiry was put off",
        "service.command_issued",
        "service.command_settled",
        "service.deregistered",
        "service.expired",
        "service.must_end",
        "service.recovered",
        "service.registered",
        "service.status_changed",
        "service.superseded",
        "service.suspect",
    ];
    assert_eq!(seen, BTreeSet::from(expected));
}
