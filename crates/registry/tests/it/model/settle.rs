//! What must come about once nothing goes wrong any more.

use omni_registry::{Phase, Slot, Status};

use super::simulation::Simulation;

/// One interval and five seconds, and one for the tick that ends it.
const ALL_WELL_WITHIN: u32 = 16;
/// Grace, self-preservation, a lease, and two sweeps; a deadline and a sweep are shorter.
const ALL_KNOWN_WITHIN: u32 = 30 + 30 + 30 + 10;

impl Simulation {
    /// The network, the replicas and the clocks work from now on, and whoever was stopped goes on.
    pub(super) fn settle(&mut self) {
        self.network.lose_everything();
        for replica in [0, 1] {
            self.start_replica(replica);
        }
        for child in &mut self.children {
            child.is_stopped = false;
            child.speaks_at = child.speaks_at.min(self.now + self.terms.heartbeat_interval());
        }
        let running: Vec<_> = (0..self.children.len()).filter(|child| self.children[*child].is_alive).collect();
        self.run_well(ALL_WELL_WITHIN);
        for child in running {
            self.expect_well(child);
        }
        self.run_well(ALL_KNOWN_WITHIN);
        self.expect_all_known();
    }

    fn run_well(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.tick(0);
            self.witness.look_at(&self.registry);
        }
    }

    /// I6: who is running and has not been told to end is known, beats, and is well.
    fn expect_well(&self, child: usize) {
        let child = &self.children[child];
        if !child.is_alive {
            return;
        }
        let incarnation = child.id().and_then(|id| self.registry.find(id)).unwrap();
        assert_eq!(incarnation.lease.phase, Phase::Live, "{child:?}");
        assert_eq!(incarnation.lease.status, Some(Status::Healthy), "{child:?}");
        assert_eq!(child.holds.as_ref().unwrap().1, incarnation.generation);
    }

    /// Who is gone is known to be gone, no command is left over, and the rows that the changes have written are the
    /// registry.
    fn expect_all_known(&self) {
        for slot in self.registry.slots() {
            for holder in slot.current() {
                let is_running = self.find_alive(&holder.id).is_some();
                assert_eq!(is_running, holder.lease.phase == Phase::Live, "{holder:?}");
            }
            assert_eq!(slot.commands(), []);
            assert_eq!(self.rows.load(slot.key()), Slot::clone(slot));
        }
    }
}
