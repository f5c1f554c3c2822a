//! The rate at which PostgreSQL runs the statements of `GET /internal/apps` for a client that does nothing else.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::apps::Statements;
use crate::bench::{Bench, processors};

/// pgbench with a script of the statements.
pub(crate) struct Pgbench {
    script: PathBuf,
    url: String,
}

impl Pgbench {
    /// Client `n` is person `n`, as in the other measurement: it looks the person's session up once and then runs the
    /// two statements for ever.
    pub(crate) fn with(bench: &Bench, statements: &Statements) -> anyhow::Result<Self> {
        let script = bench.file("apps.sql");
        let prelude = "\\if :ready = 0\n\
            SELECT '\\x' || encode(s.session_key, 'hex') AS key, u.user_id AS person, now()::text AS now \
            FROM users u JOIN sessions s ON s.user_id = u.user_id \
            WHERE u.email = 'person-' || :client_id || '@bench.example' LIMIT 1 \\gset\n\
            \\set ready 1\n\
            \\endif\n";
        let session = with_variables(&statements.session.sql, &["key", "now"])?;
        let list = with_variables(&statements.list.sql, &["person", "person", "limit", "offset"])?;
        std::fs::write(&script, format!("{prelude}{session};\n{list};\n"))?;
        Ok(Self { script, url: bench.database.url().to_owned() })
    }

    /// Pairs of statements a second.
    pub(crate) async fn run(&self, statements: &Statements, clients: usize, lasting: Duration) -> anyhow::Result<f64> {
        let output = Command::new("pgbench")
            .args(["--no-vacuum", "--protocol", "prepared", "--define", "ready=0"])
            .args(["--define", &format!("limit={}", statements.limit), "--define", "offset=0"])
            .args(["--client", &clients.to_string(), "--jobs", &clients.min(processors()).to_string()])
            .args(["--time", &lasting.as_secs().max(1).to_string()])
            .arg("--file")
            .arg(&self.script)
            .arg(&self.url)
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(no_pgbench)?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr).trim());
        let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.with_context(|| format!("pgbench says no rate: {said}"))
    }
}

fn no_pgbench(error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context("pgbench cannot be run; it comes with the bundle and with PostgreSQL's clients")
}

/// `$1`, `$2` … as pgbench's variables.
fn with_variables(sql: &str, names: &[&str]) -> anyhow::Result<String> {
    let mut text = sql.to_owned();
    // From the back, so that `$1` is not found in `$10`.
    for (index, name) in names.iter().enumerate().rev() {
        let parameter = format!("${}", index + 1);
        ensure!(text.contains(&parameter), "the statement has no {parameter}; say here what its parameters are: {sql}");
        text = text.replace(&parameter, &format!(":{name}"));
    }
    ensure!(!text.contains('$'), "the statement has more than {} parameters: {sql}", names.len());
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_variables() {
        assert_eq!(with_variables("SELECT $1, $2::text", &["a", "b"]).unwrap(), "SELECT :a, :b::text");
        assert!(with_variables("SELECT $1, $2", &["a"]).is_err());
        assert!(with_variables("SELECT $1", &["a", "b"]).is_err());
    }
}
