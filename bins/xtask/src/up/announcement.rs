//! What a person reads when everything runs.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use super::settings::{Settings, SignIn};
use crate::probe::reachable;

pub(super) struct Announcement<'a> {
    pub(super) settings: &'a Settings,
    pub(super) ready_in: Duration,
}

impl Announcement<'_> {
    pub(super) fn print(&self) {
        // A closed terminal must not stop anything.
        let _ = writeln!(io::stdout(), "{self}");
    }

    fn sign_in(&self) -> String {
        let Settings { sign_in, fake_user, .. } = self.settings;
        match sign_in {
            SignIn::AsSet(mode) => mode.clone(),
            SignIn::FakeByDefault => {
                format!("fake: everybody is {fake_user} (nothing was set; OMNI_OIDC_ISSUER turns on real sign-in)")
            }
        }
    }

    fn data_plane(&self) -> &'static str {
        match (self.settings.external_database, self.settings.external_nats) {
            (true, true) => "DATABASE_URL and NATS_URL",
            (true, false) => "DATABASE_URL, and a private NATS in the data directory",
            (false, true) => "a private one in the data directory, and NATS_URL",
            (false, false) => "private ones in the data directory",
        }
    }
}

impl fmt::Display for Announcement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { http, control, data_dir, .. } = self.settings;
        let (http, control) = (reachable(*http), reachable(*control));
        let logs = data_dir.parent().unwrap_or(Path::new("/")).join("logs");
        writeln!(f, "\nomni is up, ready in {} ms\n", self.ready_in.as_millis())?;
        writeln!(f, "  console and API   http://{http}")?;
        writeln!(f, "  API reference     http://{http}/docs/internal")?;
        writeln!(f, "  control plane     http://{control}")?;
        writeln!(f, "  sign-in           {}", self.sign_in())?;
        writeln!(f, "  PostgreSQL, NATS  {}", self.data_plane())?;
        writeln!(f, "  data              {}", data_dir.display())?;
        writeln!(f, "  logs              {}", logs.display())?;
        writeln!(f, "  try               curl http://{http}/internal/version\n")?;
        write!(f, "Ctrl-C stops all of it.")
    }
}
