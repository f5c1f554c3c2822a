//! What a store relies on: loading finds contradictions, and the changes of a transition are all that changes.

use omni_registry::{
    Action, Change, Command, CommandState, Event, Fresh, Generation, Heartbeat, HeartbeatReply, Incarnation, Order,
    Outcome, Phase, Process, RegistryError, ServiceId, Slot, Status, Terms,
};
use serde_json::json;

use crate::world::{Counting, World, channel, plain, slot, worker};

fn registered(slot: &mut Slot, token: &str, generation: i64, entropy: &Counting, world: &World) -> ServiceId {
    let fresh = Fresh { generation: Generation::new(generation), entropy };
    let outcome = slot.register(&world.terms, channel(token), world.now, fresh).unwrap();
    outcome.changes.iter().for_each(|change| slot.apply(change));
    slot.incarnations().last().unwrap().id.clone()
}

fn holders(token: &str) -> (World, Slot, ServiceId, Counting) {
    let (world, entropy) = (World::new(), Counting::default());
    let mut discord = Slot::empty(slot("discord"));
    let id = registered(&mut discord, token, 7, &entropy, &world);
    (world, discord, id, entropy)
}

#[test]
fn a_generation_that_does_not_rise_is_refused() {
    let (world, discord, _, entropy) = holders("a");
    for offered in [7, 6, 0] {
        let fresh = Fresh { generation: Generation::new(offered), entropy: &entropy };
        let refused = discord.register(&world.terms, channel("b"), world.now, fresh).unwrap_err();
        let highest = Generation::new(7);
        assert_eq!(refused, RegistryError::StaleGeneration { offered: Generation::new(offered), highest });
        assert!(discord.register(&world.terms, channel("a"), world.now, fresh).is_ok(), "a renewal needs none");
    }
}

#[test]
fn the_old_holder_is_ended_before_the_new_one_is_inserted() {
    let (world, discord, old, entropy) = holders("a");
    let fresh = Fresh { generation: Generation::new(8), entropy: &entropy };
    let outcome = discord.register(&world.terms, channel("b"), world.now, fresh).unwrap();
    assert!(
        matches!(&outcome.changes[0], Change::Lease { id, lease } if *id == old && lease.phase == Phase::Superseded)
    );
    assert!(
        matches!(&outcome.changes[1], Change::Insert(_)),
        "a unique index over holders would refuse the other order"
    );
}

#[test]
fn a_beat_writes_one_lease_and_nothing_else() {
    let (world, discord, id, _) = holders("a");
    let outcome = discord.heartbeat(&id, &Heartbeat::new(Status::Healthy), world.now);
    assert!(matches!(&outcome.changes[..], [Change::Lease { .. }]));
}

#[test]
fn registering_again_describes_the_service_only_if_there_is_something_new() {
    let (world, entropy) = (World::new(), Counting::default());
    let mut discord = Slot::empty(slot("discord"));
    let fresh = Fresh { generation: Generation::new(1), entropy: &entropy };
    let mut again = |registration| {
        let outcome = discord.register(&world.terms, registration, world.now, fresh).unwrap();
        outcome.changes.iter().for_each(|change| discord.apply(change));
        outcome.changes
    };
    assert!(matches!(&again(plain(100, None))[..], [Change::Insert(_)]));
    assert!(matches!(&again(plain(100, None))[..], [Change::Lease { .. }]));
    assert!(matches!(&again(plain(100, Some("48213")))[..], [Change::Describe { .. }, Change::Lease { .. }]));
    assert!(matches!(&again(plain(100, Some("48213")))[..], [Change::Lease { .. }]));
    let Process { started, .. } = &discord.incarnations()[0].process;
    assert_eq!(started.as_ref().unwrap().as_str(), "48213");
}

#[test]
fn a_transition_changes_nothing_by_itself() {
    let (world, discord, id, entropy) = holders("a");
    let before = discord.clone();
    let fresh = Fresh { generation: Generation::new(8), entropy: &entropy };
    let _ = discord.register(&world.terms, channel("b"), world.now, fresh);
    let _ = discord.deregister(&id, None, world.now);
    let _ = discord.issue(&id, Order::new(Action::Restart), world.now, &entropy);
    assert_eq!(discord, before);
}

#[test]
fn a_slot_that_contradicts_itself_is_not_loaded() {
    let (world, discord, _, entropy) = holders("a");
    let one = discord.incarnations()[0].clone();
    let load = |incarnations| Slot::load(slot("discord"), incarnations, Vec::new());
    let another = |generation, id: &ServiceId| Incarnation {
        id: id.clone(),
        generation: Generation::new(generation),
        ..one.clone()
    };
    let other_id = ServiceId::generate(&slot("discord").name, &entropy);
    assert_eq!(world.terms, Terms::default());
    for (rows, problem) in [
        (vec![one.clone(), another(8, &one.id)], "two incarnations share an id"),
        (vec![one.clone(), another(7, &other_id)], "two incarnations share a generation"),
        (vec![one.clone(), another(8, &other_id)], "two incarnations hold a slot for one"),
    ] {
        let refused = load(rows).unwrap_err();
        assert_eq!(refused, RegistryError::Inconsistent(problem));
        assert_eq!(refused.code(), "registry_inconsistent");
    }
    let mut old = another(3, &other_id);
    old.lease.phase = Phase::Superseded;
    let loaded = load(vec![one.clone(), old.clone()]).unwrap();
    assert_eq!(loaded.incarnations(), [old, one], "in the order of their generations");
}

#[test]
fn a_command_that_outlived_its_generation_reaches_nobody() {
    let (world, mut discord, old, entropy) = holders("a");
    let order = discord.issue(&old, Order::new(Action::Restart), world.now, &entropy).unwrap();
    let stray: Command = order.reply;
    let new = registered(&mut discord, "b", 8, &entropy, &world);
    let settled = Command { state: CommandState::Done, ..stray.clone() };
    let rows = || discord.incarnations().to_vec();
    for (commands, pending) in [(vec![stray], 1), (vec![settled], 0)] {
        let loaded = Slot::load(slot("discord"), rows(), commands).unwrap();
        assert_eq!(loaded.commands().len(), pending);
        let reply = loaded.heartbeat(&new, &Heartbeat::new(Status::Healthy), world.now).reply;
        assert_eq!(reply, HeartbeatReply::Known { commands: Vec::new() });
        let holder = loaded.find(&new).unwrap();
        assert_eq!(loaded.state_of(holder).as_str(), "registered");
    }
}

#[test]
fn a_command_that_outlived_its_generation_is_settled_and_kills_nobody() {
    let (mut world, mut discord, old, entropy) = holders("a");
    let stray = discord.issue(&old, Order::new(Action::Restart), world.now, &entropy).unwrap().reply;
    registered(&mut discord, "b", 8, &entropy, &world);
    let loaded = Slot::load(slot("discord"), discord.incarnations().to_vec(), vec![stray]).unwrap();
    world.pass(65);
    let licence = world.sweeper.plan(omni_registry::Census::default(), world.now, world.monotonic);
    let outcome: Outcome<_> = loaded.sweep(&licence);
    let names: Vec<_> = outcome.events.iter().map(Event::name).collect();
    assert!(names.contains(&"service.command_settled") && !names.contains(&"service.must_end"), "{names:?}");
}

#[test]
fn events_read_well_on_the_bus() {
    let (mut world, name) = (World::new(), slot("thumbnails"));
    let (id, generation) = world.enter(&name, worker("a"));
    let command = world.order(&id, Action::Scale { target: 3 }).unwrap();
    let events: Vec<_> = world.events().iter().map(|event| serde_json::to_value(event).unwrap()).collect();
    for (event, name) in events.iter().zip(["service.registered", "service.command_issued"]) {
        assert_eq!(event["type"], name);
    }
    assert_eq!(
        events[1],
        json!({
            "type": "service.command_issued",
            "at": "2026-03-01T12:01:00Z",
            "slot": {"node": "attic", "name": "thumbnails"},
            "serviceType": "worker",
            "serviceId": id.as_str(),
            "generation": generation.get(),
            "command": command.id.as_str(),
            "action": {"type": "scale", "target": 3},
        })
    );
}

#[test]
fn names_of_events_are_those_they_are_serialised_with() {
    let (mut world, name) = (World::new(), slot("discord"));
    let (old, _) = world.enter(&name, channel("a"));
    world.beat(&old);
    world.order(&old, Action::Restart).unwrap();
    let (new, _) = world.enter(&name, channel("b"));
    world.pass(40);
    world.beat(&new);
    world.order(&new, Action::Shutdown).unwrap();
    world.pass_beating(70, std::slice::from_ref(&new));
    world.leave(&new, "exited:0");
    let events = world.events();
    let mut seen = std::collections::BTreeSet::new();
    for event in &events {
        assert_eq!(serde_json::to_value(event).unwrap()["type"], event.name());
        seen.insert(event.name());
    }
    assert_eq!(seen.len(), 10, "{seen:?}");
}
