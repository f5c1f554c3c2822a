//! Who is who: idempotence, supersession, and processes that come too late.

use omni_registry::{
    Action, HealthEndpoint, HeartbeatReply, Phase, Port, Profile, RegisterReply, Registration, RegistryError,
    ServiceState, ServiceType, Status,
};

use crate::world::{World, channel, nothing_to_do, plain, slot, spawned, worker};

fn at_port(registration: Registration, port: i64) -> Registration {
    let endpoint = HealthEndpoint::new(&format!("http://127.0.0.1:{port}/health")).unwrap();
    let profile = Profile::new(Some(Port::new(port).unwrap()), Some(endpoint), None, None).unwrap();
    Registration { profile, ..registration }
}

#[test]
fn the_same_incarnation_gets_the_same_answer_a_hundred_times() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let first = world.register(&discord, channel("a"));
    for _ in 0..99 {
        assert_eq!(world.register(&discord, channel("a")), first);
    }
    assert_eq!(world.registry.len(), 1);
    assert_eq!(world.told(), ["service.registered"]);
}

#[test]
fn parent_and_child_meet_on_the_token() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (parent, generation) = world.enter(&discord, spawned(ServiceType::Channel, "a", 4242));
    let (child, same) = world.enter(&discord, at_port(spawned(ServiceType::Channel, "a", 7), 9001));
    assert_eq!((parent, generation), (child, same), "the pid differs in the child's own namespace");
}

#[test]
fn parent_and_child_meet_on_pid_and_start_without_a_token() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (parent, _) = world.enter(&discord, plain(100, Some("48213")));
    let (child, _) = world.enter(&discord, plain(100, Some("48213")));
    assert_eq!(parent, child);
    let (other, _) = world.enter(&discord, plain(100, Some("99999")));
    assert_ne!(parent, other, "the pid was given again");
}

#[test]
fn parent_and_child_meet_on_the_pid_alone_while_the_lease_lasts() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (parent, _) = world.enter(&discord, plain(100, None));
    let (child, _) = world.enter(&discord, plain(100, Some("48213")));
    assert_eq!(parent, child);
    let (again, _) = world.enter(&discord, plain(100, None));
    assert_eq!(parent, again);
}

#[test]
fn what_one_of_them_leaves_out_the_other_has_said() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, at_port(channel("a"), 9001));
    world.enter(&discord, channel("a"));
    let profile = &world.registry.find(&id).unwrap().profile;
    assert_eq!(profile.port(), Some(Port::new(9001).unwrap()));
    assert_eq!(profile.health_endpoint().unwrap().as_str(), "http://127.0.0.1:9001/health");
}

#[test]
fn a_new_incarnation_supersedes_the_old_one() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (old, first) = world.enter(&discord, channel("a"));
    let (new, second) = world.enter(&discord, channel("b"));
    assert!(second > first);
    assert_eq!(world.told(), ["service.registered", "service.superseded", "service.registered"]);

    assert_eq!(world.beat(&old), HeartbeatReply::Superseded { generation: first });
    assert_eq!(world.beat(&new), nothing_to_do());
    assert_eq!(world.state(&discord, &old), ServiceState::Superseded);
    assert_eq!(world.state(&discord, &new), ServiceState::Healthy);
}

#[test]
fn a_late_registration_of_the_old_one_leaves_the_new_one_alone() {
    let (mut world, discord) = (World::new(), slot("discord"));
    for old in [channel("a"), plain(100, Some("48213"))] {
        let (_, generation) = world.enter(&discord, old.clone());
        let (new, _) = world.enter(&discord, channel(&format!("after-{generation}")));
        assert_eq!(world.register(&discord, old), RegisterReply::Superseded { generation });
        assert_eq!(world.beat(&new), nothing_to_do());
    }
}

#[test]
fn the_last_to_come_holds_the_slot_when_pids_are_all_there_is() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (first, _) = world.enter(&discord, plain(100, None));
    let (second, _) = world.enter(&discord, plain(101, None));
    let (third, _) = world.enter(&discord, plain(100, None));
    assert!(first != second && second != third && first != third);
    assert!(matches!(world.beat(&second), HeartbeatReply::Superseded { .. }));
    assert_eq!(world.beat(&third), nothing_to_do());
}

#[test]
fn a_token_is_worth_more_than_a_pid() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (_, old) = world.enter(&discord, spawned(ServiceType::Channel, "a", 100));
    let (new, _) = world.enter(&discord, plain(101, None));
    world.register(&discord, plain(101, None));
    let late = world.register(&discord, spawned(ServiceType::Channel, "a", 101));
    assert_eq!(late, RegisterReply::Superseded { generation: old }, "though its pid is that of the holder");
    assert_eq!(world.beat(&new), nothing_to_do());
}

#[test]
fn a_spawn_token_is_good_for_one_life() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.leave(&id, "exited:137");
    assert_eq!(world.register(&discord, channel("a")), RegisterReply::Gone);
}

#[test]
fn a_process_without_a_token_may_leave_and_come_back() {
    for process in [plain(100, None), plain(100, Some("48213"))] {
        let (mut world, discord) = (World::new(), slot("discord"));
        let (first, before) = world.enter(&discord, process.clone());
        world.leave(&first, "bye");
        let (second, after) = world.enter(&discord, process);
        assert!(first != second && after > before);
        assert_eq!(world.beat(&first), HeartbeatReply::Gone);
        assert_eq!(world.beat(&second), nothing_to_do());
    }
}

#[test]
fn coming_back_does_not_take_the_slot_from_a_successor() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let process = plain(100, Some("48213"));
    let (old, generation) = world.enter(&discord, process.clone());
    world.leave(&old, "bye");
    let (new, _) = world.enter(&discord, channel("b"));
    assert_eq!(world.register(&discord, process), RegisterReply::Superseded { generation });
    assert_eq!(world.beat(&new), nothing_to_do());
}

#[test]
fn registering_revives_what_expired_and_was_not_replaced() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, generation) = world.enter(&discord, channel("a"));
    world.pass(40);
    assert_eq!(world.phase(&id), Phase::Expired);
    world.events();
    assert_eq!(world.enter(&discord, channel("a")), (id, generation));
    assert_eq!(world.told(), ["service.recovered"]);
}

#[test]
fn a_pid_whose_lease_has_expired_is_somebody_else() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (old, _) = world.enter(&discord, plain(100, None));
    world.pass(40);
    let (new, _) = world.enter(&discord, plain(100, None));
    assert_ne!(old, new);
    assert!(matches!(world.beat(&old), HeartbeatReply::Superseded { .. }));
}

#[test]
fn a_pid_that_has_been_told_to_end_is_its_successor() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (old, _) = world.enter(&discord, plain(100, None));
    world.order(&old, Action::Restart).unwrap();
    let (new, _) = world.enter(&discord, plain(100, None));
    assert_ne!(old, new, "in a container every process has the same pid");
    assert_eq!(world.beat(&new), nothing_to_do());
}

#[test]
fn several_workers_share_a_name() {
    let (mut world, name) = (World::new(), slot("thumbnails"));
    let (one, _) = world.enter(&name, worker("a"));
    let (two, _) = world.enter(&name, worker("b"));
    assert_ne!(one, two);
    assert_eq!((world.beat(&one), world.beat(&two)), (nothing_to_do(), nothing_to_do()));
    assert_eq!(world.registry.addressed(&name.name).count(), 2);
}

#[test]
fn a_channel_shares_its_name_with_nobody() {
    let (mut world, name) = (World::new(), slot("mixed"));
    let workers = [world.enter(&name, worker("a")).0, world.enter(&name, worker("b")).0];
    let (channel_id, _) = world.enter(&name, channel("c"));
    for id in &workers {
        assert_eq!(world.phase(id), Phase::Superseded);
    }
    world.enter(&name, worker("d"));
    assert_eq!(world.phase(&channel_id), Phase::Superseded);
}

#[test]
fn one_incarnation_is_one_kind_of_service() {
    let (mut world, name) = (World::new(), slot("discord"));
    world.enter(&name, channel("a"));
    let refused = world.try_register(&name, worker("a")).unwrap_err();
    assert_eq!(refused, RegistryError::TypeChanged { registered: ServiceType::Channel, asked: ServiceType::Worker });
    assert_eq!(refused.to_string(), "the service is registered as a channel, not as a worker");
}

#[test]
fn a_pid_does_not_make_a_channel_of_a_worker() {
    let (mut world, name) = (World::new(), slot("discord"));
    let (old, generation) = world.enter(&name, plain(100, None));
    let (new, _) = world.enter(&name, Registration { service_type: ServiceType::Worker, ..plain(100, None) });
    assert_eq!(world.beat(&old), HeartbeatReply::Superseded { generation });
    assert_eq!(world.beat(&new), nothing_to_do());
}

#[test]
fn names_and_nodes_do_not_meet() {
    let mut world = World::new();
    let mut cellar = slot("discord");
    cellar.node = omni_registry::NodeId::new("cellar").unwrap();
    let attic = slot("discord");
    let one = world.enter(&attic, channel("a")).0;
    let two = world.enter(&cellar, channel("a")).0;
    let three = world.enter(&slot("slack"), channel("a")).0;
    for id in [&one, &two, &three] {
        assert_eq!(world.beat(id), nothing_to_do());
    }
    assert_eq!(world.registry.addressed(&attic.name).count(), 2);
}

#[test]
fn a_contradiction_is_refused_and_changes_nothing() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, at_port(channel("a"), 9001));
    let before = world.registry.find(&id).cloned();
    let endpoint = HealthEndpoint::new("http://127.0.0.1:5432/").unwrap();
    let profile = Profile::new(None, Some(endpoint), None, None).unwrap();
    world.wait(5);
    let refused = world.try_register(&discord, Registration { profile, ..channel("a") }).unwrap_err();
    assert_eq!(refused.code(), "registration_invalid");
    assert_eq!(world.registry.find(&id).cloned(), before);
}

#[test]
fn registering_begins_the_count_of_beats_anew() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.beat_number(&id, 500, Status::Healthy);
    world.enter(&discord, channel("a"));
    world.wait(10);
    world.beat_number(&id, 0, Status::Degraded);
    assert_eq!(world.state(&discord, &id), ServiceState::Degraded);
}
