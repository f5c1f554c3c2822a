//! Commands: repeated until done, carried out once, and never by a successor.

use std::time::Duration;

use omni_registry::{
    AckReply, Action, Command, CommandState, Event, Happening, Heartbeat, HeartbeatReply, Metrics, Order, Phase,
    RegistryError, ServiceId, ServiceState, Status,
};

use crate::world::{World, actions, channel, nothing_to_do, slot, worker};

const TO_FIVE: Action = Action::Scale { target: 5 };

fn one_command(reply: HeartbeatReply) -> Command {
    match reply {
        HeartbeatReply::Known { mut commands } if commands.len() == 1 => commands.remove(0),
        other => panic!("{other:?}"),
    }
}

fn acknowledging(command: &Command) -> Heartbeat {
    Heartbeat { acks: vec![command.id.clone()], ..Heartbeat::new(Status::Healthy) }
}

fn running(scale: u32) -> Heartbeat {
    let metrics =
        Metrics { cpu: 0.1, memory: 10.0, active_connections: None, messages_processed: None, scale: Some(scale) };
    Heartbeat { metrics: Some(metrics), ..Heartbeat::new(Status::Healthy) }
}

fn outcomes(world: &mut World) -> Vec<(Action, CommandState)> {
    let settled = |what| match what {
        Happening::CommandSettled { action, outcome, .. } => Some((action, outcome)),
        _ => None,
    };
    world.events().into_iter().filter_map(|event| settled(event.what)).collect()
}

#[test]
fn a_restart_is_repeated_until_the_generation_ends_and_never_reaches_the_next() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (old, generation) = world.enter(&discord, channel("a"));
    let command = world.order(&old, Action::Restart).unwrap();
    assert_eq!(command.generation, generation);
    for _ in 0..3 {
        assert_eq!(actions(&world.beat(&old)), [Action::Restart]);
    }
    assert_eq!(world.state(&discord, &old), ServiceState::Draining);
    world.leave(&old, "exited:0");
    assert_eq!(outcomes(&mut world), [(Action::Restart, CommandState::Done)]);
    let (new, _) = world.enter(&discord, channel("b"));
    assert_eq!(world.beat(&new), nothing_to_do());
    assert_eq!(world.state(&discord, &new), ServiceState::Healthy);
}

#[test]
fn a_restart_is_done_when_the_successor_registers_before_the_exit_is_known() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (old, _) = world.enter(&discord, channel("a"));
    world.order(&old, Action::Restart).unwrap();
    let (new, _) = world.enter(&discord, channel("b"));
    assert_eq!(outcomes(&mut world), [(Action::Restart, CommandState::Done)]);
    assert_eq!(world.beat(&new), nothing_to_do());
}

#[test]
fn a_command_is_for_one_of_several_that_share_a_name() {
    let (mut world, name) = (World::new(), slot("thumbnails"));
    let (one, _) = world.enter(&name, worker("a"));
    let (two, _) = world.enter(&name, worker("b"));
    world.order(&one, Action::Shutdown).unwrap();
    assert_eq!(world.beat(&two), nothing_to_do());
    assert_eq!(actions(&world.beat(&one)), [Action::Shutdown]);
    assert_eq!((world.state(&name, &one), world.state(&name, &two)), (ServiceState::Draining, ServiceState::Healthy));
}

#[test]
fn nobody_acknowledges_for_somebody_else() {
    let (mut world, name) = (World::new(), slot("thumbnails"));
    let (one, _) = world.enter(&name, worker("a"));
    let (two, _) = world.enter(&name, worker("b"));
    let command = world.order(&one, TO_FIVE).unwrap();
    world.say(&two, &acknowledging(&command));
    world.say(&two, &running(5));
    assert_eq!(actions(&world.beat(&one)), [TO_FIVE]);
    let ack = world.registry.ack(&two, &command.id, world.now);
    assert_eq!((ack.reply, ack.changes.len()), (AckReply::NothingPending, 0));
}

#[test]
fn giving_the_same_order_twice_gives_one_command() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    for action in [TO_FIVE, Action::Restart] {
        let first = world.order(&id, action).unwrap();
        world.wait(1);
        assert_eq!(world.order(&id, action), Ok(first.clone()));
        world.say(&id, &acknowledging(&first));
    }
    let issued = world.told().into_iter().filter(|name| *name == "service.command_issued").count();
    assert_eq!(issued, 2);
    assert_eq!(world.order(&id, Action::Restart).unwrap().state, CommandState::Acknowledged, "it is still pending");
}

#[test]
fn an_acknowledgement_stops_the_repeating_and_not_the_waiting() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.order(&id, Action::Shutdown).unwrap();
    let command = one_command(world.beat(&id));
    assert_eq!(world.say(&id, &acknowledging(&command)), nothing_to_do());
    assert_eq!(world.state(&discord, &id), ServiceState::Draining);
    world.pass_beating(70, &[id]);
    assert_eq!(outcomes(&mut world), [(Action::Shutdown, CommandState::Forced)]);
}

#[test]
fn an_acknowledgement_counts_even_when_its_beat_is_late() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    let command = world.order(&id, TO_FIVE).unwrap();
    world.beat_number(&id, 9, Status::Healthy);
    let seq = Some(omni_registry::Seq::new(8).unwrap());
    assert_eq!(world.say(&id, &Heartbeat { seq, ..acknowledging(&command) }), nothing_to_do());
    assert_eq!(outcomes(&mut world), [(TO_FIVE, CommandState::Done)]);
}

#[test]
fn a_service_can_acknowledge_between_beats() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    let command = world.order(&id, Action::Restart).unwrap();
    assert_eq!(world.registry.ack(&id, &command.id, world.now).reply, AckReply::Noted);
    assert_eq!(world.registry.ack(&id, &command.id, world.now).reply, AckReply::NothingPending);
    assert_eq!(world.beat(&id), nothing_to_do());
}

#[test]
fn scaling_is_done_when_the_service_says_it_runs_that_many() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.order(&id, TO_FIVE).unwrap();
    world.events();
    assert_eq!(actions(&world.say(&id, &running(3))), [TO_FIVE]);
    assert_eq!(world.say(&id, &running(5)), nothing_to_do());
    assert_eq!(outcomes(&mut world), [(TO_FIVE, CommandState::Done)]);
}

#[test]
fn a_new_target_takes_the_place_of_the_old_one() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    let old = world.order(&id, TO_FIVE).unwrap();
    let new = Action::Scale { target: 2 };
    world.order(&id, new).unwrap();
    assert_eq!(outcomes(&mut world), [(TO_FIVE, CommandState::Replaced)]);
    assert_eq!(actions(&world.beat(&id)), [new]);
    assert_eq!(actions(&world.say(&id, &acknowledging(&old))), [new], "an acknowledgement of the old one is not of it");
}

#[test]
fn a_shutdown_takes_the_place_of_a_restart_and_not_the_other_way_round() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.order(&id, TO_FIVE).unwrap();
    world.order(&id, Action::Restart).unwrap();
    world.order(&id, Action::Shutdown).unwrap();
    assert_eq!(actions(&world.beat(&id)), [TO_FIVE, Action::Shutdown]);
    assert_eq!(world.order(&id, Action::Restart), Err(RegistryError::Draining));
    assert_eq!(world.order(&id, Action::Scale { target: 1 }), Err(RegistryError::Draining));
    world.leave(&id, "exited:0");
    assert_eq!(
        outcomes(&mut world),
        [
            (Action::Restart, CommandState::Replaced),
            (TO_FIVE, CommandState::Abandoned),
            (Action::Shutdown, CommandState::Done),
        ]
    );
}

#[test]
fn a_service_that_does_not_end_in_time_is_to_be_ended() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, generation) = world.enter(&discord, channel("a"));
    let command = world.order(&id, Action::Restart).unwrap();
    world.pass_beating(55, std::slice::from_ref(&id));
    assert_eq!(actions(&world.beat(&id)), [Action::Restart]);
    world.events();
    assert_eq!(world.pass_beating(5, std::slice::from_ref(&id)).lapsed, 1);
    let events = world.events();
    assert_eq!(events.iter().map(Event::name).collect::<Vec<_>>(), ["service.command_settled", "service.must_end"]);
    assert_eq!(events[1].generation, generation);
    assert_eq!(events[1].what, Happening::MustEnd { command: command.id, action: Action::Restart });
    assert_eq!(world.beat(&id), nothing_to_do(), "it is not told again");
}

#[test]
fn a_service_that_does_not_scale_in_time_is_let_be() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.order(&id, TO_FIVE).unwrap();
    world.pass_beating(60, std::slice::from_ref(&id));
    let events = world.events();
    assert!(!events.iter().any(|event| event.name() == "service.must_end"));
    assert!(
        events.iter().any(|event| matches!(event.what, Happening::CommandSettled { outcome: CommandState::Unmet, .. }))
    );
    assert_eq!(world.beat(&id), nothing_to_do());
}

#[test]
fn an_order_may_have_its_own_deadline_and_reason() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    let order = Order::new(Action::Shutdown).because("maintenance").within(Duration::from_secs(5)).unwrap();
    let command = world.registry.issue(&id, order, world.now, &world.entropy).unwrap().reply;
    assert_eq!(command.reason.unwrap().as_str(), "maintenance");
    assert_eq!(command.deadline - command.issued, Duration::from_secs(5));
    assert_eq!(world.pass(5).lapsed, 1);
}

#[test]
fn expiry_ends_the_generation_and_so_the_command() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.order(&id, Action::Restart).unwrap();
    world.pass(40);
    assert_eq!(outcomes(&mut world), [(Action::Restart, CommandState::Done)]);
    assert_eq!(world.beat(&id), nothing_to_do(), "who comes back after all is not restarted for it");
}

#[test]
fn commands_go_to_those_who_are_addressed() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.pass(25);
    assert_eq!(world.phase(&id), Phase::Suspect);
    assert!(world.order(&id, Action::Restart).is_ok(), "a suspect may still hear it");
    world.pass(10);
    assert_eq!(world.order(&id, Action::Restart), Err(RegistryError::NotAddressed(Phase::Expired)));
    world.leave(&id, "bye");
    assert_eq!(world.order(&id, Action::Restart), Err(RegistryError::NotAddressed(Phase::Deregistered)));
    let nobody = ServiceId::new("svc_guess").unwrap();
    assert_eq!(world.order(&nobody, Action::Restart), Err(RegistryError::UnknownService));
}
