//! Heartbeats: the answers of the protocol, and beats that the network delays or repeats.

use std::time::Duration;

use omni_registry::{Heartbeat, HeartbeatReply, Metrics, Phase, ServiceId, ServiceState, Status};

use crate::world::{World, channel, nothing_to_do, slot};

#[test]
fn the_answers_of_the_protocol() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (old, generation) = world.enter(&discord, channel("a"));
    assert_eq!(world.beat(&old), nothing_to_do());
    let (new, _) = world.enter(&discord, channel("b"));
    assert_eq!(world.beat(&old), HeartbeatReply::Superseded { generation });
    world.leave(&new, "bye");
    assert_eq!(world.beat(&new), HeartbeatReply::Gone);
    assert_eq!(world.beat(&ServiceId::new("svc_discord_0").unwrap()), HeartbeatReply::Unknown);
}

#[test]
fn a_service_is_as_it_says() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    assert_eq!(world.state(&discord, &id), ServiceState::Registered);
    world.events();
    for (status, state) in [
        (Status::Healthy, ServiceState::Healthy),
        (Status::Healthy, ServiceState::Healthy),
        (Status::Degraded, ServiceState::Degraded),
        (Status::Unhealthy, ServiceState::Unhealthy),
    ] {
        world.say(&id, &Heartbeat::new(status));
        assert_eq!(world.state(&discord, &id), state);
    }
    assert_eq!(world.told(), ["service.status_changed"; 3], "each change once");
}

#[test]
fn the_latest_metrics_stay_until_there_are_newer_ones() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    let metrics =
        |cpu| Some(Metrics { cpu, memory: 64.0, active_connections: None, messages_processed: Some(3), scale: None });
    world.say(&id, &Heartbeat { metrics: metrics(0.5), ..Heartbeat::new(Status::Healthy) });
    world.beat(&id);
    assert_eq!(world.registry.find(&id).unwrap().lease.metrics, metrics(0.5));
    world.say(&id, &Heartbeat { metrics: metrics(0.25), ..Heartbeat::new(Status::Healthy) });
    assert_eq!(world.registry.find(&id).unwrap().lease.metrics, metrics(0.25));
}

#[test]
fn a_late_or_repeated_beat_overwrites_nothing_and_renews_nothing() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.beat_number(&id, 7, Status::Unhealthy);
    let before = world.registry.find(&id).cloned();
    world.wait(4);
    for late in [6, 7, 0] {
        assert_eq!(world.beat_number(&id, late, Status::Healthy), nothing_to_do(), "it is answered all the same");
    }
    assert_eq!(world.registry.find(&id).cloned(), before);
    world.beat_number(&id, 8, Status::Healthy);
    assert_eq!(world.state(&discord, &id), ServiceState::Healthy);
}

#[test]
fn beats_without_a_number_always_count() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.beat_number(&id, 7, Status::Healthy);
    world.say(&id, &Heartbeat::new(Status::Degraded));
    assert_eq!(world.state(&discord, &id), ServiceState::Degraded);
    world.beat_number(&id, 7, Status::Healthy);
    assert_eq!(world.state(&discord, &id), ServiceState::Degraded, "the numbered ones keep their order");
}

#[test]
fn a_beat_revives_what_expired_and_was_not_replaced() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.beat(&id);
    world.pass(40);
    assert_eq!(world.state(&discord, &id), ServiceState::Expired);
    world.events();
    assert_eq!(world.beat(&id), nothing_to_do());
    assert_eq!(world.told(), ["service.recovered"]);
    assert_eq!(world.state(&discord, &id), ServiceState::Healthy);
    assert_eq!(world.registry.find(&id).unwrap().lease.since, world.now);
}

#[test]
fn a_beat_does_not_revive_what_was_replaced() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (old, generation) = world.enter(&discord, channel("a"));
    world.pass(40);
    let (new, _) = world.enter(&discord, channel("b"));
    assert_eq!(world.beat(&old), HeartbeatReply::Superseded { generation });
    assert_eq!(world.phase(&old), Phase::Superseded);
    assert_eq!(world.beat(&new), nothing_to_do());
}

#[test]
fn a_late_beat_does_not_revive_and_sends_a_service_that_lost_count_to_register() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, generation) = world.enter(&discord, channel("a"));
    world.beat_number(&id, 900, Status::Healthy);
    world.pass(40);
    assert_eq!(world.beat_number(&id, 1, Status::Healthy), HeartbeatReply::Unknown);
    assert_eq!(world.phase(&id), Phase::Expired);
    assert_eq!(world.enter(&discord, channel("a")), (id.clone(), generation));
    assert_eq!(world.beat_number(&id, 2, Status::Healthy), nothing_to_do());
}

#[test]
fn a_clock_that_was_set_back_shortens_no_lease_and_no_uptime() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    let uptime = |world: &World| world.registry.find(&id).unwrap().uptime(world.now);
    world.wait(10);
    world.beat(&id);
    assert_eq!(uptime(&world), Duration::from_secs(10));

    let seen = world.now;
    world.now -= Duration::from_secs(3600);
    world.beat(&id);
    assert_eq!(world.registry.find(&id).unwrap().lease.last_seen, seen);
    assert_eq!(uptime(&world), Duration::ZERO);
}
