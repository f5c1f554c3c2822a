use omni_domain::Role;

use crate::{Client, TestApi};

/// A part in the play: somebody, and the role that they have in the app.
#[derive(Debug, Clone)]
pub struct Actor {
    /// What messages call them.
    pub name: &'static str,
    /// Their role in the app; none for those who have no place in it.
    pub role: Option<Role>,
    /// Whether they are signed in.
    pub is_signed_in: bool,
    /// Whether invitations of the play are theirs.
    pub is_invited: bool,
    /// They themselves.
    pub client: Client,
}

/// People of every role in one app, and people who have none.
#[derive(Debug, Clone)]
pub struct Cast {
    /// The app.
    pub app: i64,
    /// Owns it.
    pub owner: Client,
    /// Invites people to it.
    pub administrator: Client,
    /// Changes what it holds.
    pub editor: Client,
    /// Sees it.
    pub viewer: Client,
    /// Belongs to it, and sees only its private marketplace agents.
    pub member: Client,
    /// Has an account and no place in any app.
    pub stranger: Client,
    /// Is invited, and has not answered: the person behind [`Cast::INVITED`].
    pub invited: Client,
    /// Owns another app.
    pub neighbour: Client,
    /// The neighbour's app.
    pub other_app: i64,
    /// Outranks everyone.
    pub omniadmin: Client,
    /// Is not signed in.
    pub anonymous: Client,
}

impl Cast {
    /// The address of whoever is invited in the play.
    pub const INVITED: &'static str = "invited@example.com";

    /// Signs everybody in, and makes the two apps.
    pub async fn gather(api: &TestApi) -> Self {
        let sign_in = async |name: &str| api.client(&format!("{name}@example.com")).await;
        let (owner, neighbour) = (sign_in("owner").await, sign_in("neighbour").await);
        let cast = Self {
            app: owner.create_app("Our app").await,
            administrator: sign_in("administrator").await,
            editor: sign_in("editor").await,
            viewer: sign_in("viewer").await,
            member: sign_in("member").await,
            stranger: sign_in("stranger").await,
            invited: api.client(Self::INVITED).await,
            other_app: neighbour.create_app("The app next door").await,
            omniadmin: sign_in("omniadmin").await,
            anonymous: api.anonymous(),
            owner,
            neighbour,
        };
        cast.invite(api, cast.app).await;
        cast
    }

    /// Another app of the same people.
    pub async fn another_app(&self, api: &TestApi) -> i64 {
        let app = self.owner.create_app("Another app").await;
        self.invite(api, app).await;
        app
    }

    async fn invite(&self, api: &TestApi, app: i64) {
        for (client, role) in [
            (&self.administrator, Role::Administrator),
            (&self.editor, Role::Editor),
            (&self.viewer, Role::Viewer),
            (&self.member, Role::User),
        ] {
            api.make_member(app, client, role).await;
        }
    }

    /// All of them, lowest first.
    #[must_use]
    pub fn actors(&self) -> Vec<Actor> {
        let actor = |name, role, client: &Client| {
            let client = client.clone();
            Actor { name, role, is_signed_in: true, is_invited: false, client }
        };
        vec![
            Actor { is_signed_in: false, ..actor("anonymous", None, &self.anonymous) },
            actor("stranger", None, &self.stranger),
            Actor { is_invited: true, ..actor("invited", None, &self.invited) },
            actor("neighbour", None, &self.neighbour),
            actor("member", Some(Role::User), &self.member),
            actor("viewer", Some(Role::Viewer), &self.viewer),
            actor("editor", Some(Role::Editor), &self.editor),
            actor("administrator", Some(Role::Administrator), &self.administrator),
            actor("owner", Some(Role::Owner), &self.owner),
            actor("omniadmin", Some(Role::Omniadmin), &self.omniadmin),
        ]
    }
}
