//! A store that knows rows and changes only, as a database would.

use std::collections::BTreeMap;

use omni_registry::{Change, Command, CommandId, Incarnation, ServiceId, Slot, SlotKey};

#[derive(Debug, Default)]
pub(super) struct Rows {
    incarnations: BTreeMap<ServiceId, (SlotKey, Incarnation)>,
    commands: BTreeMap<CommandId, Command>,
}

impl Rows {
    pub(super) fn write(&mut self, key: &SlotKey, changes: &[Change]) {
        for change in changes {
            match change {
                Change::Insert(new) => {
                    let row = (key.clone(), (**new).clone());
                    assert!(self.incarnations.insert(new.id.clone(), row).is_none(), "an id is given once");
                }
                Change::Describe { id, process, profile } => {
                    let row = self.row(id);
                    row.process = process.clone();
                    row.profile = (**profile).clone();
                }
                Change::Lease { id, lease } => self.row(id).lease = (**lease).clone(),
                Change::Forget(id) => {
                    self.incarnations.remove(id);
                    self.commands.retain(|_, command| command.service != *id);
                }
                Change::Command(command) => {
                    self.commands.insert(command.id.clone(), (**command).clone());
                }
            }
        }
    }

    pub(super) fn key_of(&self, id: &ServiceId) -> Option<SlotKey> {
        self.incarnations.get(id).map(|(key, _)| key.clone())
    }

    /// The slot as a store would load it.
    pub(super) fn load(&self, key: &SlotKey) -> Slot {
        let incarnations: Vec<_> =
            self.incarnations.values().filter(|(at, _)| at == key).map(|(_, row)| row.clone()).collect();
        let mine = |command: &&Command| incarnations.iter().any(|incarnation| incarnation.id == command.service);
        let commands = self.commands.values().filter(mine).cloned().collect();
        Slot::load(key.clone(), incarnations, commands).unwrap()
    }

    fn row(&mut self, id: &ServiceId) -> &mut Incarnation {
        &mut self.incarnations.get_mut(id).unwrap().1
    }
}
