//! A database of our own on the given server, with as many people and apps as a company has.

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_postgres::{Client, Config, NoTls};

/// Everybody owns three apps, belongs to two of others', and every app has a service and three agents.
const SEED: &str = "
INSERT INTO users (email, name, create_date)
SELECT 'person-' || n || '@bench.example', 'Person ' || n, now() - n * interval '1 minute'
FROM generate_series(0, 999) n;

INSERT INTO apps (name, slug, owner_id, create_date, update_date)
SELECT 'App ' || k || ' of ' || u.name, 'app-' || u.user_id || '-' || k, u.user_id,
    now() - u.user_id * interval '1 hour' - k * interval '1 day', now()
FROM users u, generate_series(1, 3) k WHERE u.email LIKE 'person-%';

INSERT INTO collaborations (app_id, user_id, email, role, status, invited_by, invited_at, accepted_at)
SELECT a.app_id, u.user_id, u.email, CASE k WHEN 1 THEN 'viewer' ELSE 'editor' END, 'accepted', a.owner_id, now(), now()
FROM users u CROSS JOIN generate_series(1, 2) k JOIN apps a
ON a.slug = 'app-' || (1 + (u.user_id + k * 17) % 1000) || '-' || k AND a.owner_id <> u.user_id
WHERE u.email LIKE 'person-%' ON CONFLICT DO NOTHING;

INSERT INTO ai_services (app_id, name, provider, model, create_date, update_date)
SELECT app_id, 'Built in', 'local', 'local', now(), now() FROM apps WHERE slug LIKE 'app-%';

INSERT INTO agents (app_id, name, service_id, has_memory, memory_max_messages, memory_max_tokens, create_date, update_date)
SELECT s.app_id, 'Agent ' || k, s.service_id, true, 20, 4000, now(), now() FROM ai_services s, generate_series(1, 3) k;
";

/// Everybody belongs to five of a thousand apps.
const COMPANY: &str = "
INSERT INTO users (email, email_verified, name, create_date)
SELECT 'member-' || n || '@bench.example', true, 'Member ' || n, now() FROM generate_series(0, 9999) n;

INSERT INTO apps (name, slug, owner_id, create_date, update_date)
SELECT 'Company app ' || n, 'company-' || n, u.user_id, now(), now()
FROM generate_series(0, 999) n JOIN users u ON u.email = 'member-' || (n * 10 + 1) || '@bench.example';

INSERT INTO collaborations (app_id, user_id, email, role, status, invited_by, invited_at, accepted_at)
SELECT a.app_id, u.user_id, u.email, 'editor', 'accepted', a.owner_id, now(), now()
FROM generate_series(0, 9999) n JOIN users u ON u.email = 'member-' || n || '@bench.example'
CROSS JOIN generate_series(0, 4) k JOIN apps a ON a.slug = 'company-' || ((n * 7 + k * 191) % 1000);
";

pub(crate) struct Database {
    admin: Client,
    connections: JoinSet<()>,
    name: String,
    url: String,
    version: String,
}

impl Database {
    pub(crate) async fn create(server: &str) -> anyhow::Result<Self> {
        let mut connections = JoinSet::new();
        let admin = connect(server, &mut connections).await?;
        let name = format!("omni_bench_{}", std::process::id());
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        let version = admin.query_one("SHOW server_version", &[]).await?.get(0);
        Ok(Self { admin, connections, url: with_database(server, &name)?, name, version })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn config(&self) -> anyhow::Result<Config> {
        Ok(self.url.parse()?)
    }

    /// Fills the migrated database, unless that is done.
    pub(crate) async fn seed(&self) -> anyhow::Result<()> {
        let mut connections = JoinSet::new();
        let client = connect(&self.url, &mut connections).await?;
        let seeded = "SELECT EXISTS (SELECT FROM users WHERE email = 'person-0@bench.example')";
        if !client.query_one(seeded, &[]).await?.get::<_, bool>(0) {
            client.batch_execute(SEED).await.context("the database cannot be seeded")?;
            client.batch_execute("VACUUM ANALYZE").await?;
            client.batch_execute("CHECKPOINT").await?;
        }
        Ok(())
    }

    /// Adds a large company, unless that is done.
    pub(crate) async fn seed_company(&self) -> anyhow::Result<()> {
        let mut connections = JoinSet::new();
        let client = connect(&self.url, &mut connections).await?;
        let seeded = "SELECT EXISTS (SELECT FROM users WHERE email = 'member-0@bench.example')";
        if !client.query_one(seeded, &[]).await?.get::<_, bool>(0) {
            client.batch_execute(COMPANY).await.context("the company cannot be made")?;
            client.batch_execute("VACUUM ANALYZE").await?;
            client.batch_execute("CHECKPOINT").await?;
        }
        Ok(())
    }

    /// An app that this person belongs to.
    pub(crate) async fn an_app_of(&self, email: &str) -> anyhow::Result<i64> {
        let mut connections = JoinSet::new();
        let client = connect(&self.url, &mut connections).await?;
        let app = "SELECT min(app_id) FROM collaborations WHERE email = $1";
        Ok(client.query_one(app, &[&email]).await?.get(0))
    }

    /// How many of the server's connections to this database do something or hold a transaction open, our own left out.
    pub(crate) async fn busy_connections(&self) -> anyhow::Result<i64> {
        let busy = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND state <> 'idle'";
        Ok(self.admin.query_one(busy, &[&self.name]).await?.get(0))
    }

    pub(crate) async fn remove(self) -> anyhow::Result<()> {
        self.admin.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await?;
        drop(self.connections);
        Ok(())
    }
}

pub(crate) async fn connect(url: &str, connections: &mut JoinSet<()>) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("PostgreSQL does not answer")?;
    connections.spawn(async move {
        // Whoever uses the client is told as well.
        let _ = connection.await;
    });
    Ok(client)
}

/// The same server's URL with another database.
fn with_database(url: &str, name: &str) -> anyhow::Result<String> {
    let (place, options) = url.split_once('?').map_or((url, None), |(place, options)| (place, Some(options)));
    let (scheme, rest) = place.split_once("://").context("the URL of PostgreSQL has no scheme")?;
    let server = rest.split_once('/').map_or(rest, |(server, _)| server);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    Ok(format!("{scheme}://{server}/{name}{options}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_changes() {
        let with = |url| with_database(url, "b").unwrap();
        assert_eq!(with("postgresql://omni@%2Frun%2Fx/omni"), "postgresql://omni@%2Frun%2Fx/b");
        assert_eq!(with("postgres://a:b@h:5432?sslmode=disable"), "postgres://a:b@h:5432/b?sslmode=disable");
        assert!(with_database("host=x", "b").is_err());
    }
}
