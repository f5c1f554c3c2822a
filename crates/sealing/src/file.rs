use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use omni_domain::Entropy;

use crate::{MasterKey, SealingError};

/// Bits that let anybody but the owner read or write the file.
const NOT_THE_OWNER: u32 = 0o077;

impl MasterKey {
    /// Reads the key file, if it is there.
    ///
    /// # Errors
    /// [`SealingError::KeyFile`] if it cannot be read, has another length, or others may read it.
    pub fn read_file(path: &Path) -> Result<Option<Self>, SealingError> {
        match File::open(path) {
            Ok(file) => read(path, file).map(Some),
            Err(error) if error.kind() == IoErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(path, "cannot be read", error)),
        }
    }

    /// Makes the key file: 32 random bytes, readable by its owner only. If somebody else was faster, theirs is read.
    ///
    /// # Errors
    /// [`SealingError::KeyFile`] if it cannot be made.
    pub fn make_file(path: &Path, entropy: &dyn Entropy) -> Result<Self, SealingError> {
        make(path, entropy)
    }
}

fn read(path: &Path, file: File) -> Result<MasterKey, SealingError> {
    let wrong = |problem: String| SealingError::KeyFile { path: path.to_owned(), problem, source: None };
    let mode = file.metadata().map_err(|error| failed(path, "cannot be read", error))?.mode();
    if mode & NOT_THE_OWNER != 0 {
        return Err(wrong(format!("others may read it (mode {:o}); run chmod 600 on it", mode & 0o777)));
    }
    let mut bytes = Vec::with_capacity(33);
    file.take(33).read_to_end(&mut bytes).map_err(|error| failed(path, "cannot be read", error))?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| wrong("must have exactly 32 bytes".into()))?;
    Ok(MasterKey::new(&bytes))
}

/// Writes to a file of another name and links it into place: whoever comes second finds the first one's whole key.
fn make(path: &Path, entropy: &dyn Entropy) -> Result<MasterKey, SealingError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|error| failed(path, "its folder cannot be made", error))?;
    let mut bytes = [0; 32];
    entropy.fill(&mut bytes);
    let mut suffix = [0; 8];
    entropy.fill(&mut suffix);
    let draft = path.with_extension(format!("{:016x}", u64::from_be_bytes(suffix)));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all()));
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    // The draft's name is random: what is left of it after a crash is a second copy of a file only the owner can read.
    let _ = fs::remove_file(&draft);
    match linked {
        Ok(()) => Ok(MasterKey::new(&bytes)),
        Err(error) if error.kind() == IoErrorKind::AlreadyExists => {
            read(path, File::open(path).map_err(|error| failed(path, "cannot be read", error))?)
        }
        Err(error) => Err(failed(path, "cannot be made", error)),
    }
}

fn failed(path: &Path, problem: &str, source: std::io::Error) -> SealingError {
    SealingError::KeyFile { path: path.to_owned(), problem: problem.to_owned(), source: Some(source) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use omni_domain::AppId;
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::Place;

    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const PLACE: Place = Place { column: "t.c", app: AppId::new(1), row: 1 };

    #[test]
    fn is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/master.key");
        assert!(MasterKey::read_file(&path).unwrap().is_none());
        let first = MasterKey::make_file(&path, &Constant(1)).unwrap();
        let second = MasterKey::make_file(&path, &Constant(2)).unwrap();
        let sealed = first.seal(&SecretString::from("s"), PLACE, &Constant(3)).unwrap();
        assert_eq!(second.open(&sealed, PLACE).unwrap().expose_secret(), "s");
        let read = MasterKey::read_file(&path).unwrap().unwrap();
        assert_eq!(read.open(&sealed, PLACE).unwrap().expose_secret(), "s");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn refuses_a_file_that_others_may_read_or_of_the_wrong_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        fs::write(&path, [1; 32]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refusal = MasterKey::read_file(&path).unwrap_err().to_string();
        assert!(refusal.contains("chmod 600"), "{refusal}");
        fs::write(&path, [1; 31]).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(MasterKey::read_file(&path).is_err());
    }
}
