mod healthz;
mod home;
mod readyz;
mod version;

pub(crate) use healthz::Healthz;
pub(crate) use home::Home;
pub(crate) use readyz::Readyz;
pub(crate) use version::Version;
