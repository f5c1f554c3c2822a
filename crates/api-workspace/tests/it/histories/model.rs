//! Who has which place in one app, as the rules say it: small enough to be seen to be right.

use std::collections::BTreeMap;

use omni_domain::Role;
use proptest::prelude::*;

/// How many people there are besides the operator.
pub(crate) const PEOPLE: usize = 4;

/// Whoever does something: one of the people, or the operator.
pub(crate) type Actor = Option<usize>;

/// One thing that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Invite {
        by: Actor,
        whom: usize,
        role: Role,
    },
    Accept {
        by: Actor,
        of: usize,
    },
    Decline {
        by: Actor,
        of: usize,
    },
    ChangeRole {
        by: Actor,
        of: usize,
        role: Role,
    },
    Remove {
        by: Actor,
        of: usize,
    },
    Leave {
        by: Actor,
    },
    DeleteApp {
        by: Actor,
    },
    /// The operator removes an account; the person signs in again as somebody new.
    DeleteAccount {
        whom: usize,
        heir: Option<usize>,
    },
}

/// How an invitation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Accepted,
    Declined,
}

/// The places in the app. Without an owner there is no app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) owner: Option<usize>,
    pub(crate) members: BTreeMap<usize, (Role, Status)>,
}

impl Model {
    pub(crate) const fn owned_by(owner: usize) -> Self {
        Self { owner: Some(owner), members: BTreeMap::new() }
    }

    /// The role that somebody has in the app, or none.
    pub(crate) fn rank(&self, who: Actor) -> Option<Role> {
        let owner = self.owner?;
        match who {
            None => Some(Role::Omniadmin),
            Some(person) if person == owner => Some(Role::Owner),
            Some(person) => match self.members.get(&person)? {
                (role, Status::Accepted) => Some(*role),
                _ => None,
            },
        }
    }

    /// Takes a step, and says with which status it is answered.
    pub(crate) fn take(&mut self, step: &Step) -> u16 {
        match *step {
            Step::Invite { by, whom, role } => {
                self.may(by, Role::Administrator).unwrap_or_else(|| self.invite(by, whom, role))
            }
            Step::Accept { by, of } => self.answer(by, of, Status::Accepted),
            Step::Decline { by, of } => self.answer(by, of, Status::Declined),
            Step::ChangeRole { by, of, role } => self.change_role(by, of, role),
            Step::Remove { by, of } => {
                if !self.members.contains_key(&of) {
                    return 404;
                }
                self.may(by, Role::Administrator).unwrap_or_else(|| {
                    self.members.remove(&of);
                    200
                })
            }
            Step::Leave { by } => self.leave(by),
            Step::DeleteApp { by } => self.may(by, Role::Owner).unwrap_or_else(|| {
                *self = Self { owner: None, members: BTreeMap::new() };
                200
            }),
            Step::DeleteAccount { whom, heir } => self.delete_account(whom, heir),
        }
    }

    /// Why somebody may not do what takes this role.
    fn may(&self, by: Actor, least: Role) -> Option<u16> {
        match self.rank(by) {
            None => Some(404),
            Some(held) if held < least => Some(403),
            Some(_) => None,
        }
    }

    fn can_be_given(&self, by: Actor, role: Role) -> bool {
        matches!(role, Role::User | Role::Viewer | Role::Editor | Role::Administrator) && Some(role) <= self.rank(by)
    }

    fn invite(&mut self, by: Actor, whom: usize, role: Role) -> u16 {
        if !self.can_be_given(by, role) {
            return 400;
        }
        let is_free = matches!(self.members.get(&whom), None | Some((_, Status::Declined)));
        if self.owner == Some(whom) || !is_free {
            return 409;
        }
        self.members.insert(whom, (role, Status::Pending));
        201
    }

    fn answer(&mut self, by: Actor, of: usize, answer: Status) -> u16 {
        match self.members.get_mut(&of) {
            Some((_, status)) if by == Some(of) => {
                if *status != Status::Pending {
                    return 409;
                }
                *status = answer;
                200
            }
            _ => 404,
        }
    }

    fn change_role(&mut self, by: Actor, of: usize, role: Role) -> u16 {
        let Some((_, status)) = self.members.get(&of).copied() else { return 404 };
        if let Some(refusal) = self.may(by, Role::Owner) {
            return refusal;
        }
        if !self.can_be_given(by, role) {
            return 400;
        }
        if status == Status::Declined {
            return 409;
        }
        self.members.insert(of, (role, status));
        200
    }

    fn leave(&mut self, by: Actor) -> u16 {
        match (by, self.rank(by)) {
            (_, None) => 404,
            (None, _) | (_, Some(Role::Owner)) => 409,
            (Some(person), Some(_)) => {
                self.members.remove(&person);
                200
            }
        }
    }

    fn delete_account(&mut self, whom: usize, heir: Option<usize>) -> u16 {
        if self.owner == Some(whom) {
            let Some(heir) = heir.filter(|heir| *heir != whom) else { return 409 };
            self.owner = Some(heir);
            self.members.remove(&heir);
        }
        // An invitation is to an address, and waits on for whoever comes with it.
        if let Some((_, Status::Accepted)) = self.members.get(&whom) {
            self.members.remove(&whom);
        }
        200
    }
}

/// Somebody; the operator now and then.
fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![9 => (0..PEOPLE).prop_map(Some), 1 => Just(None)]
}

/// Any role, those that are never given included.
fn role() -> impl Strategy<Value = Role> {
    (0..Role::LADDER.len()).prop_map(|rung| Role::LADDER[rung])
}

/// Steps in which something happens more often than not.
fn step() -> impl Strategy<Value = Step> {
    let person = || 0..PEOPLE;
    let own = || person().prop_map(|person| (Some(person), person));
    prop_oneof![
        6 => (actor(), person(), role()).prop_map(|(by, whom, role)| Step::Invite { by, whom, role }),
        5 => own().prop_map(|(by, of)| Step::Accept { by, of }),
        1 => (actor(), person()).prop_map(|(by, of)| Step::Accept { by, of }),
        1 => own().prop_map(|(by, of)| Step::Decline { by, of }),
        1 => (actor(), person()).prop_map(|(by, of)| Step::Decline { by, of }),
        3 => (actor(), person(), role()).prop_map(|(by, of, role)| Step::ChangeRole { by, of, role }),
        2 => (actor(), person()).prop_map(|(by, of)| Step::Remove { by, of }),
        2 => actor().prop_map(|by| Step::Leave { by }),
        1 => actor().prop_map(|by| Step::DeleteApp { by }),
        1 => (person(), proptest::option::of(person())).prop_map(|(whom, heir)| Step::DeleteAccount { whom, heir }),
    ]
}

/// What happens to one app.
pub(crate) fn history() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..10)
}
