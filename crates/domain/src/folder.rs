use crate::{AppId, Audited, Facts, FolderId, Invalid, Patch, RepositoryId, Text, Timestamp, required_text};

/// A folder of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// The folder's number.
    pub id: FolderId,
    /// The app that it belongs to.
    pub app: AppId,
    /// The repository that it is in.
    pub repository: RepositoryId,
    /// The folder that it is in; none is the repository itself.
    pub parent: Option<FolderId>,
    /// What members call it; unique beside its siblings.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

impl Folder {
    /// How many folders can be in each other: deeper, nobody finds anything, and deleting would take the database a stack
    /// of its own.
    pub const MOST_NESTED: u32 = 32;
}

/// A folder as one of its app's members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderOverview {
    /// The folder.
    pub folder: Folder,
    /// How many folders are right in it.
    pub subfolders: u64,
    /// How many files are right in it.
    pub documents: u64,
}

/// A new folder, checked except for what it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderDraft {
    /// The repository that it will be in.
    pub repository: RepositoryId,
    /// The folder that it will be in.
    pub parent: Option<FolderId>,
    /// What members will call it.
    pub name: String,
}

impl FolderDraft {
    /// Checks the name.
    ///
    /// # Errors
    /// An [`Invalid`] that names the field.
    pub fn new(repository: RepositoryId, parent: Option<FolderId>, name: &str) -> Result<Self, Invalid> {
        Ok(Self { repository, parent, name: folder_name(name)? })
    }
}

/// A change of a folder: another name, another place in its repository, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderPatch {
    /// A new name.
    pub name: Patch<String>,
    /// Another folder to be in; none is the repository itself.
    pub parent: Patch<FolderId>,
}

impl FolderPatch {
    /// The folder as it will be, except that where it is moved is not checked.
    ///
    /// # Errors
    /// An [`Invalid`] that names the field.
    pub fn apply(self, stored: Folder) -> Result<Folder, Invalid> {
        Ok(Folder {
            name: match self.name {
                Patch::Keep => stored.name,
                Patch::Clear => return Err(Invalid::new("name", "must not be empty")),
                Patch::Set(name) => folder_name(&name)?,
            },
            parent: self.parent.over(stored.parent),
            ..stored
        })
    }
}

/// A name that can stand between slashes and means no other folder there.
fn folder_name(name: &str) -> Result<String, Invalid> {
    let name = required_text("name", name, Text::Name)?;
    if name.contains(['/', '\\']) {
        return Err(Invalid::new("name", "must not contain slashes; make a folder in a folder instead"));
    }
    if matches!(name.as_str(), "." | "..") {
        return Err(Invalid::new("name", "must not be . or .."));
    }
    Ok(name)
}

impl Audited for Folder {
    const KIND: &'static str = "folder";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("name", &self.name)
            .with("repository_id", self.repository)
            .with("parent_folder_id", self.parent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_step_of_a_path() {
        let draft = |name: &str| FolderDraft::new(RepositoryId::new(1), None, name).map(|draft| draft.name);
        assert_eq!(draft(" Contracts 2026 ").as_deref(), Ok("Contracts 2026"));
        assert_eq!(draft("…").as_deref(), Ok("…"));
        for wrong in ["", " ", "a/b", "/", "a\\b", ".", "..", " .. ", "a\u{0}b", "a\nb"] {
            assert_eq!(draft(wrong).unwrap_err().field, "name", "{wrong:?}");
        }
    }
}
