//! Who may call an endpoint, and how its app is found. Each rule is a type; the rule's `Granted` is what the handler gets
//! as proof, and the only way to get it.

use std::future::Future;
use std::marker::PhantomData;
use std::str::FromStr;

use omni_domain::{AppId, CollaborationId, RepositoryId, Role};
use omni_rbac::{ApiKeyDigest, Grant, Invited, KeyGrant, PlatformGrant, Rank, Scope, Session, Viewer};

use crate::{ApiError, FromPath, Keys, Plane, Sessions, Visit};

/// Decides whether a caller is let in.
pub trait AccessRule<P: Plane>: 'static {
    /// The proof of it.
    type Granted: 'static;

    /// The rule in words and values, for documents and tests.
    fn describe() -> Described;

    /// Lets the caller in, or says why not.
    fn admit(state: &P::State, visit: &Visit) -> impl Future<Output = Result<Self::Granted, ApiError>>;
}

/// An access rule as documents and tests see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// The lowest role that may, or none where nobody is asked who they are.
    pub lowest: Option<Role>,
    /// Where the role is held.
    pub reach: Reach,
}

/// Where a role is held, and how the app is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nowhere: the endpoint is for everybody.
    Nowhere,
    /// On the platform, above all apps.
    Platform,
    /// In the app that `?app_id=` names, which is required.
    AppByQuery,
    /// In the app that the path names.
    AppByPath,
    /// In the app of the thing that the path names; `?app_id=` may be given and must match.
    AppOfThing,
    /// In the app of the thing that this parameter of the query names, which is required; `?app_id=` may be given and must
    /// match.
    AppOfQueried(&'static str),
    /// In the app that `?app_id=` names, or in all of the caller's apps without it.
    AppOrMine,
    /// In the app of the caller's API key.
    Key,
    /// Nowhere yet: the path names an invitation, and the endpoint is for whom it invites.
    Invitation,
}

/// For everybody.
#[derive(Debug)]
pub enum Public {}

impl<P: Plane> AccessRule<P> for Public {
    type Granted = ();

    fn describe() -> Described {
        Described { lowest: None, reach: Reach::Nowhere }
    }

    async fn admit(_state: &P::State, _visit: &Visit) -> Result<(), ApiError> {
        Ok(())
    }
}

/// For everybody who is signed in.
#[derive(Debug)]
pub enum SignedIn {}

impl<P: Sessions> AccessRule<P> for SignedIn {
    type Granted = Session;

    fn describe() -> Described {
        Described { lowest: Some(Role::User), reach: Reach::Platform }
    }

    async fn admit(state: &P::State, visit: &Visit) -> Result<Session, ApiError> {
        session::<P>(state, visit).await
    }
}

/// For people of rank `R` above all apps.
#[derive(Debug)]
pub struct Platform<R>(PhantomData<R>);

/// Somebody of rank `R` above all apps.
#[derive(Debug)]
pub struct PlatformMember<R: Rank> {
    /// Who it is.
    pub session: Session,
    /// The proof of the rank.
    pub grant: PlatformGrant<R>,
}

impl<P: Sessions, R: Rank> AccessRule<P> for Platform<R> {
    type Granted = PlatformMember<R>;

    fn describe() -> Described {
        Described { lowest: Some(R::ROLE), reach: Reach::Platform }
    }

    async fn admit(state: &P::State, visit: &Visit) -> Result<PlatformMember<R>, ApiError> {
        let session = session::<P>(state, visit).await?;
        let grant = P::authority(state).platform(&session).await?;
        Ok(PlatformMember { session, grant })
    }
}

/// For members of rank `R` in the app that `S` finds.
#[derive(Debug)]
pub struct InApp<S, R>(PhantomData<(S, R)>);

/// A member of rank `R` in an app.
#[derive(Debug)]
pub struct Member<R: Rank> {
    /// Who it is.
    pub session: Session,
    /// The proof of the rank, and the app.
    pub grant: Grant<R>,
}

impl<P: Sessions, S: AppScope, R: Rank> AccessRule<P> for InApp<S, R> {
    type Granted = Member<R>;

    fn describe() -> Described {
        Described { lowest: Some(R::ROLE), reach: S::REACH }
    }

    async fn admit(state: &P::State, visit: &Visit) -> Result<Member<R>, ApiError> {
        let session = session::<P>(state, visit).await?;
        let (scope, named) = S::find(visit)?;
        let grant = P::authority(state).grant(&session, &scope, named).await?;
        Ok(Member { session, grant })
    }
}

/// For viewers of the app that `?app_id=` names; without it for everybody, about what is theirs.
#[derive(Debug)]
pub enum OneAppOrMine {}

impl<P: Sessions> AccessRule<P> for OneAppOrMine {
    type Granted = (Session, Option<Grant<Viewer>>);

    fn describe() -> Described {
        Described { lowest: Some(Role::Viewer), reach: Reach::AppOrMine }
    }

    async fn admit(state: &P::State, visit: &Visit) -> Result<Self::Granted, ApiError> {
        let session = session::<P>(state, visit).await?;
        let grant = match named_app(visit)? {
            Some(app) => Some(P::authority(state).grant(&session, &Scope::App(app), None).await?),
            None => None,
        };
        Ok((session, grant))
    }
}

/// For the person whom the invitation in the path asks.
#[derive(Debug)]
pub enum InvitedPerson {}

impl<P: Sessions> AccessRule<P> for InvitedPerson {
    type Granted = Invited;

    fn describe() -> Described {
        Described { lowest: Some(Role::User), reach: Reach::Invitation }
    }

    async fn admit(state: &P::State, visit: &Visit) -> Result<Invited, ApiError> {
        let session = session::<P>(state, visit).await?;
        Ok(P::authority(state).invited(&session, CollaborationId::from_path(visit)?).await?)
    }
}

/// For programs that hold a key of an app, which they send in `X-API-KEY` or as a Bearer token.
#[derive(Debug)]
pub enum HoldsKey {}

impl<P: Keys> AccessRule<P> for HoldsKey {
    type Granted = KeyGrant;

    fn describe() -> Described {
        Described { lowest: None, reach: Reach::Key }
    }

    async fn admit(state: &P::State, visit: &Visit) -> Result<KeyGrant, ApiError> {
        let bearer = visit.header("authorization").and_then(|value| value.split_once(' '));
        let bearer = bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token);
        let key = visit.header("x-api-key").or(bearer).map(str::trim).filter(|key| !key.is_empty());
        P::admit(state, visit, key.map(ApiKeyDigest::of)).await
    }
}

/// How an endpoint's app is found.
pub trait AppScope: 'static {
    /// The way, for documents and tests.
    const REACH: Reach;

    /// What the request points at, and the app that it names besides.
    ///
    /// # Errors
    /// If it points at nothing.
    fn find(visit: &Visit) -> Result<(Scope, Option<AppId>), ApiError>;
}

/// By `?app_id=`.
#[derive(Debug)]
pub enum ByQuery {}

impl AppScope for ByQuery {
    const REACH: Reach = Reach::AppByQuery;

    fn find(visit: &Visit) -> Result<(Scope, Option<AppId>), ApiError> {
        let app = named_app(visit)?.ok_or_else(|| ApiError::invalid("app_id", "required in the query string"))?;
        Ok((Scope::App(app), None))
    }
}

/// By `{app_id}` in the path.
#[derive(Debug)]
pub enum ByPath {}

impl AppScope for ByPath {
    const REACH: Reach = Reach::AppByPath;

    fn find(visit: &Visit) -> Result<(Scope, Option<AppId>), ApiError> {
        Ok((Scope::App(AppId::from_path(visit)?), named_app(visit)?))
    }
}

/// By `{app_slug}` in the path, which takes the slug or the number.
#[derive(Debug)]
pub enum BySlug {}

impl AppScope for BySlug {
    const REACH: Reach = Reach::AppByPath;

    fn find(visit: &Visit) -> Result<(Scope, Option<AppId>), ApiError> {
        let slug = visit.parameter("app_slug").ok_or_else(ApiError::not_found)?;
        let scope = slug.parse().map_or_else(|_| Scope::Slug(slug.to_owned()), Scope::App);
        Ok((scope, named_app(visit)?))
    }
}

/// By a thing of the app that the path names.
#[derive(Debug)]
pub struct Via<T>(PhantomData<T>);

impl<T: FromPath + Into<Scope> + 'static> AppScope for Via<T> {
    const REACH: Reach = Reach::AppOfThing;

    fn find(visit: &Visit) -> Result<(Scope, Option<AppId>), ApiError> {
        Ok((T::from_path(visit)?.into(), named_app(visit)?))
    }
}

/// What a query can name to point at its app.
pub trait InQuery: FromStr + Into<Scope> + 'static {
    /// The parameter that names it.
    const PARAMETER: &'static str;
}

impl InQuery for RepositoryId {
    const PARAMETER: &'static str = "repository_id";
}

/// By a thing of the app that a parameter of the query names.
#[derive(Debug)]
pub struct ByQueried<T>(PhantomData<T>);

impl<T: InQuery> AppScope for ByQueried<T> {
    const REACH: Reach = Reach::AppOfQueried(T::PARAMETER);

    fn find(visit: &Visit) -> Result<(Scope, Option<AppId>), ApiError> {
        let value = visit
            .query_parameter(T::PARAMETER)?
            .ok_or_else(|| ApiError::invalid(T::PARAMETER, "required in the query string"))?;
        let thing: T = value.parse().map_err(|_| ApiError::invalid(T::PARAMETER, "must be a number"))?;
        Ok((thing.into(), named_app(visit)?))
    }
}

fn named_app(visit: &Visit) -> Result<Option<AppId>, ApiError> {
    visit
        .query_parameter("app_id")?
        .map(|value| value.parse().map_err(|_| ApiError::invalid("app_id", "must be a number")))
        .transpose()
}

async fn session<P: Sessions>(state: &P::State, visit: &Visit) -> Result<Session, ApiError> {
    let key = match P::credential(state, visit) {
        Some(key) => key,
        None => match P::welcome(state, visit).await? {
            Some(arrival) => {
                visit.set_cookie(arrival.cookie);
                arrival.key
            }
            None => return Err(omni_rbac::Denied::Unauthenticated.into()),
        },
    };
    let opened = P::authority(state).session(key, P::origin(state, visit)).await;
    if matches!(opened, Err(omni_rbac::Denied::Unauthenticated)) {
        // Whoever comes again without it can be signed in anew; with it they would be refused for ever.
        visit.set_cookie(P::removal(state, visit));
    }
    Ok(opened?)
}
