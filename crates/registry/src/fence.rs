use thiserror::Error;

use crate::Generation;

/// Guards one resource, such as the login of a channel, against a process that was replaced and does not know it yet.
///
/// A lease alone cannot: its holder may be stopped right before a write and go on long after the lease has passed to
/// another. So the resource remembers the highest generation that has written and refuses lower ones. A database does the
/// same with a column and a condition: `… where owner_generation <= $mine`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fence {
    highest: Option<Generation>,
}

/// A write was refused: a newer incarnation owns the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("generation {writer} was replaced by {owner}")]
pub struct Fenced {
    /// Who wanted to write.
    pub writer: Generation,
    /// Who owns the resource.
    pub owner: Generation,
}

impl Fence {
    /// The fence of a resource that this generation owns; nobody does if there is none.
    #[must_use]
    pub const fn owned_by(owner: Option<Generation>) -> Self {
        Self { highest: owner }
    }

    /// Who owns the resource.
    #[must_use]
    pub const fn owner(&self) -> Option<Generation> {
        self.highest
    }

    /// Lets a writer through if no newer one has come before it.
    ///
    /// # Errors
    /// When a newer one has.
    pub fn admit(&mut self, writer: Generation) -> Result<(), Fenced> {
        match self.highest {
            Some(owner) if writer < owner => Err(Fenced { writer, owner }),
            _ => {
                self.highest = Some(writer);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_writer_is_refused() {
        let mut fence = Fence::default();
        let (old, new) = (Generation::new(3), Generation::new(4));
        assert_eq!(fence.admit(old), Ok(()));
        assert_eq!(fence.admit(new), Ok(()));
        assert_eq!(fence.admit(old), Err(Fenced { writer: old, owner: new }));
        assert_eq!(fence.admit(new), Ok(()));
        assert_eq!(fence.owner(), Some(new));
    }
}
