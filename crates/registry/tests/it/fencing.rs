//! A process that was stopped, replaced and woken up again.

use omni_registry::{Fence, Fenced, HeartbeatReply};

use crate::world::{World, channel, nothing_to_do, slot};

#[test]
fn a_process_that_wakes_up_after_its_replacement_is_refused_everywhere() {
    let (mut world, discord) = (World::new(), slot("discord"));
    let mut login = Fence::default();
    let (old, first) = world.enter(&discord, channel("a"));
    assert_eq!(login.admit(first), Ok(()));

    world.pass(40);
    let (new, second) = world.enter(&discord, channel("b"));
    assert_eq!(login.admit(second), Ok(()));

    assert_eq!(login.admit(first), Err(Fenced { writer: first, owner: second }));
    assert_eq!(world.beat(&old), HeartbeatReply::Superseded { generation: first });
    assert_eq!(world.beat(&new), nothing_to_do());
}
