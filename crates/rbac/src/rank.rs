use omni_domain::Role;

mod sealed {
    pub trait Sealed {}
}

/// A role as a type, so that the compiler compares it.
pub trait Rank: sealed::Sealed + Send + Sync + 'static {
    /// The role that the type stands for.
    const ROLE: Role;
}

/// Says that a grant of this rank is enough where one of rank `Needed` is asked for.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` grant does not imply `{Needed}`",
    label = "this grant is of a lower rank than the function asks for"
)]
pub trait AtLeast<Needed: Rank>: Rank {}

/// Declares the ranks from the lowest to the highest, each implying itself and all before it.
macro_rules! ladder {
    (@step [$($lower:ident)*]) => {};
    (@step [$($lower:ident)*] $(#[$doc:meta])* $rank:ident, $($rest:tt)*) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $rank {}

        impl sealed::Sealed for $rank {}

        impl Rank for $rank {
            const ROLE: Role = Role::$rank;
        }

        impl AtLeast<$rank> for $rank {}
        $(impl AtLeast<$lower> for $rank {})*

        ladder!(@step [$($lower)* $rank] $($rest)*);
    };
    ($($ranks:tt)*) => { ladder!(@step [] $($ranks)*); };
}

ladder! {
    /// Signed in; as a member, may use the app's private marketplace agents.
    User,
    /// Sees everything in an app and talks to its agents.
    Viewer,
    /// Changes what an app holds.
    Editor,
    /// Invites and removes members.
    Administrator,
    /// Owns the app.
    Owner,
    /// Outranks everyone everywhere.
    Omniadmin,
}
