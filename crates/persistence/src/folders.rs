use diesel::QueryableByName;
use diesel::prelude::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use omni_domain::{
    AppId, Deed, Folder, FolderDraft, FolderId, FolderOverview, FolderPatch, Invalid, Page, PageRequest, RepositoryId,
    Timestamp,
};
use omni_rbac::{Editor, Grant, Viewer};

use crate::app_scoped::count;
use crate::audit;
use crate::connection::Sight;
use crate::schema::{folders, repositories};
use crate::statement::Statement;
use crate::{AppScoped, Store, StoreError};

/// What the overview of a folder shows.
const OVERVIEW: &str = "f.folder_id, f.app_id, f.repo_id, f.parent_folder_id, f.name, f.create_date, f.update_date, \
    (SELECT count(*) FROM folders c WHERE c.parent_folder_id = f.folder_id) AS subfolders, \
    (SELECT count(*) FROM documents d WHERE d.folder_id = f.folder_id) AS documents";

#[derive(QueryableByName)]
struct OverviewRow {
    #[diesel(sql_type = BigInt)]
    folder_id: i64,
    #[diesel(sql_type = BigInt)]
    app_id: i64,
    #[diesel(sql_type = BigInt)]
    repo_id: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    parent_folder_id: Option<i64>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Timestamptz)]
    create_date: Timestamp,
    #[diesel(sql_type = Timestamptz)]
    update_date: Timestamp,
    #[diesel(sql_type = BigInt)]
    subfolders: i64,
    #[diesel(sql_type = BigInt)]
    documents: i64,
}

impl TryFrom<OverviewRow> for FolderOverview {
    type Error = StoreError;

    fn try_from(row: OverviewRow) -> Result<Self, StoreError> {
        Ok(Self {
            folder: Folder {
                id: FolderId::new(row.folder_id),
                app: AppId::new(row.app_id),
                repository: RepositoryId::new(row.repo_id),
                parent: row.parent_folder_id.map(FolderId::new),
                name: row.name,
                created: row.create_date,
                updated: row.update_date,
            },
            subfolders: count(row.subfolders)?,
            documents: count(row.documents)?,
        })
    }
}

impl AppScoped for FolderOverview {
    type Id = FolderId;

    async fn list(store: &Store, grant: &Grant<Viewer>, page: PageRequest) -> Result<Page<Self>, StoreError> {
        let from = |start: Statement| start.sql(" FROM folders f WHERE f.app_id = ").int(grant.app().get());
        store.page_of::<OverviewRow, _>(Sight::of(grant), OVERVIEW, from, "f.folder_id", page).await
    }

    async fn find(store: &Store, grant: &Grant<Viewer>, id: FolderId) -> Result<Option<Self>, StoreError> {
        let mut lent = store.lend(Sight::of(grant)).await?;
        let row: Option<OverviewRow> = overview(grant.app(), id).get_result(&mut lent).await.optional()?;
        row.map(Self::try_from).transpose()
    }

    async fn delete(store: &Store, grant: &Grant<Editor>, id: FolderId) -> Result<(), StoreError> {
        let mut lent = store.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let gone = locked(connection, grant.app(), id).await?;
            let wanted = folders::table.filter(folders::app_id.eq(grant.app().get()));
            diesel::delete(wanted.filter(folders::folder_id.eq(id.get()))).execute(connection).await?;
            audit::record(connection, Some(grant.app()), grant.by(), &Deed::delete(&gone)).await
        })
        .await
    }
}

impl Store {
    /// One page of the folders of a repository of the grant's app, at whatever depth, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the server is away.
    pub async fn list_folders(
        &self,
        grant: &Grant<Viewer>,
        repository: RepositoryId,
        page: PageRequest,
    ) -> Result<Page<FolderOverview>, StoreError> {
        let from = |start: Statement| {
            let of_app = start.sql(" FROM folders f WHERE f.app_id = ").int(grant.app().get());
            of_app.sql(" AND f.repo_id = ").int(repository.get())
        };
        self.page_of::<OverviewRow, _>(Sight::of(grant), OVERVIEW, from, "f.folder_id", page).await
    }

    /// Stores a new folder in a repository of the grant's app.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] if the repository or the folder that it shall be in is not there,
    /// [`StoreError::Conflict`] if another folder beside it has its name.
    pub async fn create_folder(
        &self,
        grant: &Grant<Editor>,
        draft: &FolderDraft,
        now: Timestamp,
    ) -> Result<FolderOverview, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            if !hold_tree(connection, app, draft.repository).await? {
                return Err(Invalid::unknown_reference("repository_id", draft.repository.get()).into());
            }
            if let Some(parent) = draft.parent {
                check_place(connection, app, draft.repository, parent, None).await?;
            }
            let id: i64 = diesel::insert_into(folders::table)
                .values((
                    folders::app_id.eq(app.get()),
                    folders::repo_id.eq(draft.repository.get()),
                    folders::parent_folder_id.eq(draft.parent.map(FolderId::get)),
                    folders::name.eq(&draft.name),
                    folders::create_date.eq(now),
                    folders::update_date.eq(now),
                ))
                .returning(folders::folder_id)
                .get_result(connection)
                .await?;
            let made = read(connection, app, FolderId::new(id)).await?;
            audit::record(connection, Some(app), grant.by(), &Deed::create(&made.folder)).await?;
            Ok(made)
        })
        .await
    }

    /// Renames or moves a folder of the grant's app.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the app has no such folder, [`StoreError::Invalid`] if it cannot be called so or be
    /// there, [`StoreError::Conflict`] if another folder beside it has its name.
    pub async fn update_folder(
        &self,
        grant: &Grant<Editor>,
        id: FolderId,
        patch: FolderPatch,
        now: Timestamp,
    ) -> Result<FolderOverview, StoreError> {
        let app = grant.app();
        let mut lent = self.lend(Sight::of(grant)).await?;
        lent.transaction(async |connection| {
            let before = locked(connection, app, id).await?;
            let next = Folder { updated: now, ..patch.apply(before.clone())? };
            if let Some(parent) = next.parent.filter(|_| next.parent != before.parent) {
                check_place(connection, app, next.repository, parent, Some(id)).await?;
            }
            diesel::update(
                folders::table.filter(folders::app_id.eq(app.get())).filter(folders::folder_id.eq(id.get())),
            )
            .set((
                folders::name.eq(&next.name),
                folders::parent_folder_id.eq(next.parent.map(FolderId::get)),
                folders::update_date.eq(next.updated),
            ))
            .execute(connection)
            .await?;
            audit::record(connection, Some(app), grant.by(), &Deed::update(&before, &next)).await?;
            read(connection, app, id).await
        })
        .await
    }
}

/// Selects one folder as members see it.
fn overview(app: AppId, id: FolderId) -> Statement {
    Statement::new("SELECT ")
        .sql(OVERVIEW)
        .sql(" FROM folders f WHERE f.app_id = ")
        .int(app.get())
        .sql(" AND f.folder_id = ")
        .int(id.get())
}

async fn read(connection: &mut AsyncPgConnection, app: AppId, id: FolderId) -> Result<FolderOverview, StoreError> {
    overview(app, id).get_result::<OverviewRow>(connection).await?.try_into()
}

/// Keeps the folders of a repository where they are until the end of the transaction, and says whether there is such a
/// repository. Two folders that are moved at once, each into the other, would be a ring that nobody finds.
async fn hold_tree(
    connection: &mut AsyncPgConnection,
    app: AppId,
    repository: RepositoryId,
) -> Result<bool, StoreError> {
    let found: Option<i64> = repositories::table
        .filter(repositories::app_id.eq(app.get()))
        .filter(repositories::repo_id.eq(repository.get()))
        .select(repositories::repo_id)
        .for_no_key_update()
        .first(connection)
        .await
        .optional()?;
    Ok(found.is_some())
}

/// A folder that stays where it is until the end of the transaction, as all of its repository do.
async fn locked(connection: &mut AsyncPgConnection, app: AppId, id: FolderId) -> Result<Folder, StoreError> {
    // A folder never changes its repository.
    let repository = read(connection, app, id).await?.folder.repository;
    hold_tree(connection, app, repository).await?;
    Ok(read(connection, app, id).await?.folder)
}

/// Where a folder would be put.
#[derive(QueryableByName)]
struct Place {
    /// Whether the folder there is in the repository.
    #[diesel(sql_type = Bool)]
    is_near: bool,
    /// Whether that is the folder that is moved, or is in it.
    #[diesel(sql_type = Bool)]
    is_inside: bool,
    /// How many folders would then be in each other.
    #[diesel(sql_type = BigInt)]
    nested: i64,
}

/// Whether a folder can be in `parent`: a new one, or the one that is `moved` there with all that is in it.
async fn check_place(
    connection: &mut AsyncPgConnection,
    app: AppId,
    repository: RepositoryId,
    parent: FolderId,
    moved: Option<FolderId>,
) -> Result<(), StoreError> {
    let most = i64::from(Folder::MOST_NESTED);
    let place: Option<Place> = Statement::new(
        "WITH RECURSIVE above AS (SELECT f.*, 1::bigint AS depth FROM folders f WHERE f.app_id = ",
    )
    .int(app.get())
    .sql(" AND f.folder_id = ")
    .int(parent.get())
    .sql(" UNION ALL SELECT f.*, a.depth + 1 FROM above a JOIN folders f ON f.folder_id = a.parent_folder_id ")
    .sql("WHERE a.depth <= ")
    .int(most)
    .sql("), below AS (SELECT 1::bigint AS height, ")
    .optional_int(moved.map(FolderId::get))
    .sql(" AS folder_id UNION ALL SELECT b.height + 1, f.folder_id FROM below b ")
    .sql("JOIN folders f ON f.parent_folder_id = b.folder_id WHERE b.height <= ")
    .int(most)
    .sql(") SELECT bool_and(repo_id = ")
    .int(repository.get())
    .sql(") AS is_near, coalesce(bool_or(folder_id = ")
    .optional_int(moved.map(FolderId::get))
    .sql(
        "), false) AS is_inside, max(depth) + (SELECT max(height) FROM below) AS nested FROM above HAVING count(*) > 0",
    )
    .get_result(connection)
    .await
    .optional()?;
    let problem = match place {
        None => return Err(Invalid::unknown_reference("parent_folder_id", parent.get()).into()),
        Some(Place { is_near: false, .. }) => "is a folder of another repository".to_owned(),
        Some(Place { is_inside: true, .. }) => "is this folder or in it; a folder cannot be in itself".to_owned(),
        Some(Place { nested, .. }) if nested > most => format!("at most {most} folders can be in each other"),
        Some(_) => return Ok(()),
    };
    Err(Invalid::new("parent_folder_id", problem).into())
}
