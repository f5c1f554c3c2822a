use crate::{
    AppId, Audited, Facts, Invalid, Patch, RepositoryId, SiloId, SiloSettings, SiloSettingsPatch, Text, Timestamp,
};
use crate::{optional_text, required_text};

/// A repository: files in folders, searched as one silo, which it was made with and takes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The repository's number.
    pub id: RepositoryId,
    /// The app that it belongs to.
    pub app: AppId,
    /// What members call it; unique in its app.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The silo that its files are searched in.
    pub silo: SiloId,
    /// How that silo is kept and searched.
    pub settings: SiloSettings,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
}

/// A repository as one of its app's members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryOverview {
    /// The repository.
    pub repository: Repository,
    /// How many files it has, read or not.
    pub documents: u64,
    /// How many folders it has, at any depth.
    pub folders: u64,
    /// Whether anything in it was embedded: from then on, what embeds it stays.
    pub has_content: bool,
}

/// A new repository, checked except for what it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryDraft {
    /// What members will call it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// How its silo is kept and searched.
    pub settings: SiloSettings,
}

impl RepositoryDraft {
    /// Checks the texts.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn new(name: &str, description: Option<&str>, settings: SiloSettings) -> Result<Self, Invalid> {
        Ok(Self {
            name: required_text("name", name, Text::Name)?,
            description: optional_text("description", description, Text::Description)?,
            settings,
        })
    }
}

/// A change of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepositoryPatch {
    /// A new name; its silo keeps the one that it has.
    pub name: Patch<String>,
    /// A new description.
    pub description: Patch<String>,
    /// Other settings of its silo.
    pub settings: SiloSettingsPatch,
}

impl RepositoryPatch {
    /// The repository as it will be, except that what it refers to is not checked.
    ///
    /// # Errors
    /// An [`Invalid`] that names the first field that breaks a rule.
    pub fn apply(self, stored: Repository) -> Result<Repository, Invalid> {
        Ok(Repository {
            name: self.name.over_required("name", stored.name, Text::Name)?,
            description: self.description.over_optional("description", stored.description, Text::Description)?,
            settings: self.settings.apply(stored.settings)?,
            ..stored
        })
    }
}

impl Audited for Repository {
    const KIND: &'static str = "repository";

    fn number(&self) -> i64 {
        self.id.get()
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn facts(&self) -> Facts {
        Facts::new()
            .with("name", &self.name)
            .with("description", &self.description)
            .with("silo_id", self.silo)
            .and(self.settings.facts())
    }
}
