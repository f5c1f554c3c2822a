//! Deregistration: idempotent, by id, and never of anyone else.

use omni_registry::{Action, DeregisterReply, Happening, Phase, ServiceId};

use crate::world::{World, actions, channel, nothing_to_do, slot, worker};

#[test]
fn leaving_twice_is_leaving_once() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.events();
    assert_eq!(world.leave(&id, "exited:0"), DeregisterReply::Ended);
    assert_eq!(world.leave(&id, "again"), DeregisterReply::AlreadyEnded);
    let events = world.events();
    assert_eq!(events.len(), 1);
    assert!(
        matches!(&events[0].what, Happening::Deregistered { reason: Some(reason) } if reason.as_str() == "exited:0")
    );
    let lease = &world.registry.find(&id).unwrap().lease;
    assert_eq!(lease.reason.as_ref().unwrap().as_str(), "exited:0", "the first reason stays");
}

#[test]
fn nobody_can_leave_for_somebody_unknown() {
    let mut world = World::new();
    assert_eq!(world.leave(&ServiceId::new("svc_guess").unwrap(), "x"), DeregisterReply::Unknown);
    assert!(world.events().is_empty());
}

#[test]
fn a_late_farewell_of_the_old_one_leaves_the_new_one_alone() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (old, _) = world.enter(&discord, channel("a"));
    let (new, _) = world.enter(&discord, channel("b"));
    assert_eq!(world.leave(&old, "exited:137"), DeregisterReply::AlreadyEnded);
    assert_eq!(world.phase(&old), Phase::Superseded);
    assert_eq!(world.beat(&new), nothing_to_do());
}

#[test]
fn who_has_left_is_forgotten_after_a_week() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.leave(&id, "bye");
    for _ in 0..7 * 24 {
        world.wait(3600 - 10);
        world.sweep();
        world.pass(5);
        world.pass(5);
    }
    assert_eq!(world.phase(&id), Phase::Deregistered, "an hour between sweeps is a pause, and grace forgets nobody");
    assert_eq!(world.pass(60).forgotten, 1);
    assert!(world.registry.is_empty() && world.registry.slots().next().is_none());
}

#[test]
fn who_expired_and_was_not_replaced_is_forgotten_after_a_week_too() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.pass(40);
    world.wait(7 * 24 * 3600 - 100);
    world.pass(60);
    assert_eq!(world.phase(&id), Phase::Expired);
    assert_eq!(world.pass(100).forgotten, 1);
}

#[test]
fn forgetting_one_leaves_the_others_and_their_commands() {
    let (mut world, name) = (World::new(), slot("thumbnails"));
    let (gone, _) = world.enter(&name, worker("a"));
    world.leave(&gone, "bye");
    world.wait(7 * 24 * 3600);
    let (here, _) = world.enter(&name, worker("b"));
    world.sweep();
    world.pass_beating(25, std::slice::from_ref(&here));
    world.order(&here, Action::Restart).unwrap();
    assert_eq!(world.pass(5).forgotten, 1);
    assert!(world.registry.find(&gone).is_none());
    assert_eq!(actions(&world.beat(&here)), [Action::Restart]);
}
