use std::ffi::OsString;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

/// Where the machine keeps what is not data: fetched programs, sockets, throw-away directories, and the programs of the
/// system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    pub(crate) cache: PathBuf,
    pub(crate) runtime: Vec<PathBuf>,
    pub(crate) temp: PathBuf,
    pub(crate) path: Vec<PathBuf>,
}

impl Places {
    /// Reads the variables that say where things are, through `read`.
    ///
    /// The cache is `OMNI_CACHE_DIR`; else, as root, `/var/cache/omni`, because the servers run as somebody else who
    /// cannot look into root's home; else `$XDG_CACHE_HOME/omni`, `~/.cache/omni`, or, with no home, `cache` in the data
    /// directory.
    pub fn from_env(read: impl Fn(&str) -> Option<OsString>, data_dir: &Path) -> Self {
        Self::resolve(read, data_dir, geteuid().is_root())
    }

    fn resolve(read: impl Fn(&str) -> Option<OsString>, data_dir: &Path, root: bool) -> Self {
        let set = |name| read(name).filter(|value| !value.is_empty());
        let directory = |name| set(name).map(PathBuf::from);
        let cache = directory("OMNI_CACHE_DIR")
            .or_else(|| root.then(|| PathBuf::from("/var/cache/omni")))
            .or_else(|| Some(directory("XDG_CACHE_HOME")?.join("omni")))
            .or_else(|| Some(directory("HOME")?.join(".cache/omni")))
            .unwrap_or_else(|| data_dir.join("cache"));
        let temp = directory("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
        let own_runtime = if root { Some(PathBuf::from("/run")) } else { directory("XDG_RUNTIME_DIR") };
        let runtime = own_runtime.into_iter().chain([temp.clone(), PathBuf::from("/tmp")]).collect();
        let path = set("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
        Self { cache, runtime, temp, path }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(root: bool, variables: &[(&str, &str)]) -> PathBuf {
        let read = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into());
        Places::resolve(read, Path::new("/srv/data"), root).cache
    }

    #[test]
    fn the_cache_is_where_the_servers_can_read_it() {
        let all = [("OMNI_CACHE_DIR", "/opt/omni"), ("XDG_CACHE_HOME", "/xdg"), ("HOME", "/home/ada")];
        assert_eq!(cache(false, &all), Path::new("/opt/omni"));
        assert_eq!(cache(true, &all), Path::new("/opt/omni"));
        assert_eq!(cache(true, &all[1..]), Path::new("/var/cache/omni"));
        assert_eq!(cache(false, &all[1..]), Path::new("/xdg/omni"));
        assert_eq!(cache(false, &all[2..]), Path::new("/home/ada/.cache/omni"));
        assert_eq!(cache(false, &[]), Path::new("/srv/data/cache"));
        assert_eq!(cache(false, &[("HOME", ""), ("XDG_CACHE_HOME", "")]), Path::new("/srv/data/cache"));
    }
}
