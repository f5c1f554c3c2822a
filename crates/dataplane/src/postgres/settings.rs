//! The configuration files, written at every start.

use std::path::Path;

use super::Plan;
use crate::options::Profile;
use crate::{Error, account};

/// Small: everything here fits beside the platform on a machine with one gigabyte.
const SETTINGS: &str = "\
# Written at every start. Change a setting with ALTER SYSTEM: that is kept, and outranks this file.
cluster_name = 'omni'
unix_socket_permissions = 0700
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] '
log_checkpoints = off
default_text_search_config = 'pg_catalog.english'

shared_buffers = '64MB'
effective_cache_size = '512MB'
maintenance_work_mem = '64MB'
huge_pages = off
jit = off
max_wal_size = '512MB'
min_wal_size = '48MB'
max_worker_processes = 4
max_parallel_workers = 2
autovacuum_max_workers = 2
max_logical_replication_workers = 0
# Parallel queries and index builds share memory from here and not from /dev/shm, of which a container may have 64 MB.
min_dynamic_shared_memory = '96MB'
";

const DURABLE: &str = "
max_connections = 100
";

const THROW_AWAY: &str = "
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
checkpoint_timeout = '1h'
autovacuum = off
";

/// Settings that only newer versions know.
const SINCE: [(u32, &str); 1] = [(18, "io_workers = 1\n")];

/// Only the account of our own process gets in, in any role; the kernel says who it is.
const ACCESS: &str = "local all all peer map=owner\n";

pub(super) fn write(plan: &Plan<'_>, directory: &Path) -> Result<(), Error> {
    let profile = match plan.profile {
        Profile::Durable => DURABLE,
        Profile::ThrowAway => THROW_AWAY,
    };
    let newer = SINCE.iter().filter(|(major, _)| plan.programs.major >= *major).map(|(_, settings)| *settings);
    let settings: String = [SETTINGS, profile].into_iter().chain(newer).collect();
    plan.account.write_file(directory, "postgresql.conf", &settings)?;
    plan.account.write_file(directory, "pg_hba.conf", ACCESS)?;
    plan.account.write_file(directory, "pg_ident.conf", &identity_map(&account::our_name()?))
}

/// In quotes, a name is itself and neither a keyword nor a pattern.
fn identity_map(owner: &str) -> String {
    format!("owner \"{}\" all\n", owner.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_say_more_than_a_name() {
        assert_eq!(identity_map("ada"), "owner \"ada\" all\n");
        assert_eq!(identity_map("a\" b"), "owner \"a\"\" b\" all\n");
    }
}
