//! The registry in memory is bounded.

use omni_registry::{HeartbeatReply, Phase, RegistryError};

use crate::world::{World, channel, nothing_to_do, slot};

#[test]
fn a_newcomer_is_refused_when_all_places_are_taken() {
    let mut world = World::of(2);
    assert!(world.registry.is_empty());
    world.enter(&slot("one"), channel("a"));
    assert!(!world.registry.is_empty());
    let (two, _) = world.enter(&slot("two"), channel("a"));
    let refused = world.try_register(&slot("three"), channel("a")).unwrap_err();
    assert_eq!(refused, RegistryError::Full { capacity: 2 });
    assert_eq!(world.registry.len(), 2);
    assert!(world.registry.slot(&slot("three")).is_none());
    world.enter(&slot("two"), channel("a"));
    assert_eq!(world.beat(&two), nothing_to_do(), "who is in stays in");
}

#[test]
fn who_ended_longest_ago_makes_room() {
    let mut world = World::of(3);
    let ids: Vec<_> = ["one", "two", "three"].map(|name| world.enter(&slot(name), channel("a")).0).into();
    world.leave(&ids[1], "first");
    world.wait(1);
    world.leave(&ids[0], "second");
    world.enter(&slot("four"), channel("a"));
    assert_eq!(world.beat(&ids[1]), HeartbeatReply::Unknown, "forgotten");
    assert_eq!(world.beat(&ids[0]), HeartbeatReply::Gone, "remembered");
    assert_eq!(world.registry.len(), 3);
}

#[test]
fn a_successor_takes_the_place_of_whom_it_supersedes() {
    let mut world = World::of(1);
    let (old, _) = world.enter(&slot("one"), channel("a"));
    let (new, _) = world.enter(&slot("one"), channel("b"));
    assert_eq!(world.phase(&new), Phase::Live);
    assert_eq!(world.beat(&old), HeartbeatReply::Unknown);
    assert_eq!(world.registry.len(), 1);
}

#[test]
fn generations_rise_over_all_slots() {
    let mut world = World::of(10);
    let generations: Vec<_> = ["one", "two", "one", "two"]
        .iter()
        .enumerate()
        .map(|(n, name)| world.enter(&slot(name), channel(&format!("t{n}"))).1)
        .collect();
    assert!(generations.is_sorted_by(|a, b| a < b), "{generations:?}");
}
