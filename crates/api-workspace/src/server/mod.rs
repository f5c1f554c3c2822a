mod healthz;
mod readyz;
mod version;

pub(crate) use healthz::Healthz;
pub(crate) use readyz::Readyz;
pub(crate) use version::Version;
