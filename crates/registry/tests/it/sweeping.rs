//! Silence, and when it may be held against a service.

use std::time::Duration;

use omni_registry::{Action, Event, Phase, ServiceId, ServiceState, Sweeper, Swept, Verdict};

use crate::world::{World, channel, slot};

fn services(world: &mut World, count: usize) -> Vec<ServiceId> {
    (0..count).map(|number| world.enter(&slot(&format!("channel-{number}")), channel("a")).0).collect()
}

fn phases(world: &World, ids: &[ServiceId]) -> Vec<Phase> {
    ids.iter().map(|id| world.phase(id)).collect()
}

#[test]
fn a_silent_service_is_suspect_after_two_intervals_and_expired_after_three() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.events();
    world.pass(15);
    assert_eq!(world.state(&discord, &id), ServiceState::Registered);
    world.pass(5);
    assert_eq!(world.state(&discord, &id), ServiceState::Suspect);
    assert_eq!(world.registry.addressed(&discord.name).count(), 1);
    world.pass(5);
    assert_eq!(world.state(&discord, &id), ServiceState::Suspect);
    world.pass(5);
    assert_eq!(world.state(&discord, &id), ServiceState::Expired);
    assert_eq!(world.registry.addressed(&discord.name).count(), 0);
    world.pass(300);
    assert_eq!(world.told(), ["service.suspect", "service.expired"], "each once, however often it is swept");
}

#[test]
fn a_sweep_counts_what_it_did_in_all_slots() {
    let mut world = World::new();
    services(&mut world, 2);
    assert_eq!(world.pass(20), Swept { suspected: 2, ..Swept::default() });
    assert_eq!(world.pass(10), Swept { expired: 2, ..Swept::default() });
    let talking = services(&mut world, 3);
    for id in &talking[..2] {
        world.order(id, Action::Restart).unwrap();
    }
    assert_eq!(world.pass_beating(60, &talking), Swept { lapsed: 2, ..Swept::default() });
}

#[test]
fn a_suspect_that_beats_is_well_again() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.pass(25);
    world.events();
    world.beat(&id);
    assert_eq!(world.told(), ["service.recovered", "service.status_changed"]);
    assert_eq!(world.state(&discord, &id), ServiceState::Healthy);
}

#[test]
fn two_replicas_tell_of_one_expiry_once() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let mut other = Sweeper::new(world.terms, world.monotonic);
    for _ in 0..12 {
        world.wait(5);
        let _ = world.registry.sweep(&mut other, world.now, world.monotonic);
    }
    world.sweep();
    world.pass(60);
    world.enter(&discord, channel("a"));
    world.events();
    let mut told = Vec::new();
    for _ in 0..12 {
        world.wait(5);
        world.sweep();
        let outcome = world.registry.sweep(&mut other, world.now, world.monotonic);
        told.extend(outcome.events.iter().map(Event::name));
    }
    told.extend(world.told());
    assert_eq!(told.iter().filter(|name| **name == "service.expired").count(), 1, "{told:?}");
}

#[test]
fn nobody_expires_while_the_registry_was_down() {
    for down in [2, 20, 120, 24 * 3600] {
        let mut world = World::new();
        let ids = services(&mut world, 20);
        world.pass_beating(30, &ids);
        world.events();

        world.wait(down);
        world.sweeper = Sweeper::new(world.terms, world.monotonic);
        world.pass(5);
        let swept = world.pass_beating(120, &ids);
        assert_eq!((swept.expired, swept.suspected), (0, 0), "after {down} s");
        assert_eq!(phases(&world, &ids), [Phase::Live; 20]);
        assert!(world.events().is_empty());
    }
}

#[test]
fn who_died_while_the_registry_was_down_is_found_after_the_grace() {
    let mut world = World::new();
    let ids = services(&mut world, 5);
    world.wait(120);
    world.sweeper = Sweeper::new(world.terms, world.monotonic);
    let alive = &ids[..4];
    world.pass_beating(25, alive);
    assert_eq!(world.phase(&ids[4]), Phase::Live);
    world.pass_beating(5, alive);
    assert_eq!(world.phase(&ids[4]), Phase::Expired);
    assert_eq!(phases(&world, alive), [Phase::Live; 4]);
}

#[test]
fn nobody_expires_after_a_pause_of_the_sweeper() {
    let mut world = World::new();
    let ids = services(&mut world, 2);
    world.pass_beating(30, &ids);
    world.wait(28);
    assert_eq!(world.sweep().1, Verdict::Grace, "beats could not be written either");
    assert_eq!(world.pass_beating(60, &ids).expired, 0);
}

#[test]
fn a_pause_is_more_than_one_and_a_half_intervals() {
    let mut world = World::new();
    world.wait(15);
    assert_eq!(world.sweep().1, Verdict::Proceed);
    world.wait(16);
    assert_eq!(world.sweep().1, Verdict::Grace);
}

#[test]
fn a_drift_of_half_an_interval_is_no_step() {
    for (drift, verdict) in [(5, Verdict::Proceed), (-5, Verdict::Proceed), (6, Verdict::Grace), (-6, Verdict::Grace)] {
        let mut world = World::new();
        world.now += time::Duration::seconds(drift);
        assert_eq!(world.sweep().1, verdict, "{drift} s");
    }
}

#[test]
fn one_failed_sweep_is_not_a_pause() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.pass(15);
    world.wait(10);
    world.sweep();
    world.pass(5);
    assert_eq!(world.phase(&id), Phase::Expired);
}

#[test]
fn a_store_that_comes_back_gives_grace() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let (id, _) = world.enter(&discord, channel("a"));
    world.pass(25);
    world.sweeper.begin_grace(world.monotonic);
    world.pass(25);
    assert_eq!(world.phase(&id), Phase::Suspect);
    world.pass(10);
    assert_eq!(world.phase(&id), Phase::Expired);
}

#[test]
fn a_clock_that_is_set_expires_nobody_who_beats() {
    for step in [3600, -3600, 6, -6, 86_400 * 400] {
        let mut world = World::new();
        let ids = services(&mut world, 6);
        world.pass_beating(30, &ids);
        world.events();
        world.now += time::Duration::seconds(step);
        let swept = world.pass_beating(300, &ids);
        assert_eq!(swept.expired, 0, "{step} s");
        assert_eq!(phases(&world, &ids), [Phase::Live; 6]);
    }
}

#[test]
fn a_silence_is_noticed_again_one_lease_after_the_clock_was_set() {
    for step in [3600, -3600] {
        let mut world = World::new();
        let ids = services(&mut world, 6);
        world.pass_beating(30, &ids);
        world.now += time::Duration::seconds(step);
        world.pass_beating(35, &ids[..5]);
        assert_eq!(world.phase(&ids[5]), Phase::Expired, "{step} s");
        assert_eq!(phases(&world, &ids[..5]), [Phase::Live; 5]);
    }
}

#[test]
fn a_clock_that_is_set_ends_no_commands_early_or_late() {
    let mut world = World::new();
    let ids = services(&mut world, 2);
    world.order(&ids[0], Action::Restart).unwrap();
    world.now += Duration::from_secs(3600);
    assert_eq!(world.pass_beating(25, &ids).lapsed, 0, "the service has had no time to hear it");
    assert_eq!(world.pass_beating(10, &ids).lapsed, 1);

    world.order(&ids[1], Action::Restart).unwrap();
    world.now -= Duration::from_secs(3600);
    assert_eq!(world.pass_beating(60, &ids).lapsed, 0);
    assert_eq!(world.pass_beating(10, &ids).lapsed, 1);
}

#[test]
fn small_steps_of_the_clock_do_not_add_up() {
    let mut world = World::new();
    let ids = services(&mut world, 2);
    for _ in 0..60 {
        world.wait(5);
        world.now += Duration::from_secs(4);
        assert_eq!(world.sweep().0.expired, 0, "twenty seconds of silence look like thirty-six");
        if world.monotonic.as_secs().is_multiple_of(20) {
            for id in &ids {
                world.beat(id);
            }
        }
    }
    assert_eq!(phases(&world, &ids), [Phase::Live; 2]);
}

#[test]
fn most_of_them_silent_at_once_is_put_off_once_by_one_lease() {
    let mut world = World::new();
    let ids = services(&mut world, 5);
    world.pass_beating(30, &ids);
    let survivors = &ids[..2];
    let mut verdicts = Vec::new();
    for seconds in (5..=65).step_by(5) {
        world.wait(5);
        if seconds % 10 == 0 {
            for id in survivors {
                world.beat(id);
            }
        }
        verdicts.push((seconds, world.sweep().1));
    }
    let put_off: Vec<_> =
        verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Preserve).map(|(at, _)| *at).collect();
    assert_eq!(put_off, [30, 35, 40, 45, 50, 55], "three of five, for thirty seconds");
    assert_eq!(phases(&world, &ids[2..]), [Phase::Expired; 3]);
    assert_eq!(phases(&world, survivors), [Phase::Live; 2]);
    assert_eq!(world.sweep().1, Verdict::Proceed);
}

#[test]
fn mass_silence_is_seen_though_they_become_due_one_after_another() {
    let mut world = World::new();
    let ids = services(&mut world, 10);
    for id in &ids {
        world.wait(1);
        world.beat(id);
    }
    world.sweep();
    assert_eq!(world.pass(40).expired, 0, "none of the first half goes before the second half is due");
    assert_eq!(phases(&world, &ids), [Phase::Suspect; 10]);
}

#[test]
fn two_silences_are_no_mass() {
    let mut world = World::new();
    let ids = services(&mut world, 2);
    world.pass(30);
    assert_eq!(phases(&world, &ids), [Phase::Expired; 2]);
}

#[test]
fn half_of_them_are_not_most() {
    let mut world = World::new();
    let ids = services(&mut world, 6);
    world.pass_beating(30, &ids[..3]);
    assert_eq!(phases(&world, &ids[3..]), [Phase::Expired; 3]);
}

#[test]
fn preservation_is_ready_again_after_calm() {
    let mut world = World::new();
    let ids = services(&mut world, 4);
    for _ in 0..2 {
        assert_eq!(world.pass(35).expired, 0);
        assert_eq!(world.sweep().1, Verdict::Preserve);
        world.pass_beating(20, &ids);
        assert_eq!(world.sweep().1, Verdict::Proceed);
    }
}
