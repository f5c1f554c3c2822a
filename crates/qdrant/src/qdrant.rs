use std::fmt;
use std::time::Duration;

use http::Method;
use omni_egress::Egress;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::call::{Bounds, Call, Repeat, Server};
use crate::collection::{Description, indexes};
use crate::search::Found;
use crate::{Collection, Filter, Hit, Point, QdrantError, Search, Tenant};

/// What answers a person who waits.
const READING: Bounds = Bounds { deadline: Duration::from_secs(10), most_bytes: 1024 * 1024 };
/// A thousand hits with their vectors and metadata.
const SEARCHING: Bounds = Bounds { most_bytes: 64 * 1024 * 1024, ..READING };
/// The server indexes before it answers.
const WRITING: Bounds = Bounds { deadline: Duration::from_secs(60), most_bytes: 1024 * 1024 };

/// The most points and bytes of one request. The server takes 32 MiB unless it was told otherwise.
const MOST_POINTS: usize = 256;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A Qdrant server. Clones share its connections. Its `Debug` form shows no key.
#[derive(Clone)]
pub struct Qdrant {
    server: Server,
}

impl Qdrant {
    /// Knows the server at this URL, such as `http://qdrant:6333`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`QdrantError::BaseUrl`], [`QdrantError::AddressRefused`] and [`QdrantError::KeyUnusable`].
    pub fn new(egress: Egress, base_url: &str, api_key: Option<SecretString>) -> Result<Self, QdrantError> {
        Server::new(egress, base_url, api_key).map(|server| Self { server })
    }

    /// Whether the server is there, knows the key, and is ready.
    ///
    /// # Errors
    /// What a search would run into.
    pub async fn health(&self) -> Result<(), QdrantError> {
        let ready = self.server.request(Method::GET, &["readyz"], &[])?;
        self.server.call_for_status(Call { request: ready, bounds: READING, repeat: Repeat::Once }).await?;
        // Whether the server is ready it tells anybody. What it holds, it does not.
        let collections = self.server.request(Method::GET, &["collections"], &[])?;
        let call = Call { request: collections, bounds: SEARCHING, repeat: Repeat::Once };
        self.server.call::<Value>(call).await.map(drop)
    }

    /// Makes the collection and its indexes, as far as they are not there.
    ///
    /// # Errors
    /// [`QdrantError::WrongDimensions`] if there is one of this name for other vectors, and what any call runs into.
    pub async fn ensure_collection(&self, collection: &Collection) -> Result<(), QdrantError> {
        let description = match self.describe(collection).await {
            Err(QdrantError::NoCollection) => {
                self.create(collection).await?;
                self.describe(collection).await?
            }
            described => described?,
        };
        description.check(collection)?;
        for index in indexes().iter().filter(|index| !description.has_index(index)) {
            self.write(Method::PUT, &["collections", collection.name(), "index"], index).await?;
        }
        Ok(())
    }

    async fn describe(&self, collection: &Collection) -> Result<Description, QdrantError> {
        let request = self.server.request(Method::GET, &["collections", collection.name()], &[])?;
        self.server.call(Call { request, bounds: READING, repeat: Repeat::Idempotent }).await
    }

    /// A second creation is refused, so that this is not tried twice; that somebody else was faster is as good.
    async fn create(&self, collection: &Collection) -> Result<(), QdrantError> {
        let request = self.server.request(Method::PUT, &["collections", collection.name()], &[])?;
        let request = request.json(&collection.creation())?;
        match self.server.call::<bool>(Call { request, bounds: WRITING, repeat: Repeat::Once }).await {
            Ok(_) | Err(QdrantError::Refused { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Removes the collection with all that every tenant has in it, and says whether it was there.
    ///
    /// # Errors
    /// What any call runs into.
    pub async fn delete_collection(&self, collection: &Collection) -> Result<bool, QdrantError> {
        let request = self.server.request(Method::DELETE, &["collections", collection.name()], &[])?;
        match self.server.call(Call { request, bounds: WRITING, repeat: Repeat::Idempotent }).await {
            Err(QdrantError::NoCollection) => Ok(false),
            answered => answered,
        }
    }

    /// Stores points of one tenant, in place of those of the same names. They are sent a few hundred at a time; if one
    /// request fails, those before it are stored, and it does no harm to store all of them once more.
    ///
    /// # Errors
    /// [`QdrantError::WrongDimensions`] and [`QdrantError::Invalid`] for a vector before anything is sent,
    /// [`QdrantError::NoCollection`], and what any call runs into.
    pub async fn upsert(&self, collection: &Collection, tenant: Tenant, points: &[Point]) -> Result<(), QdrantError> {
        points.iter().try_for_each(|point| collection.checked(&point.vector).map(drop))?;
        let mut batch = Batch::default();
        for point in points {
            let point = to_raw_value(&point.on_the_wire(collection, tenant)?)
                .map_err(|_| QdrantError::Invalid { field: "metadata", problem: "must have a form in JSON" })?;
            if !batch.has_room_for(&point) {
                self.put_points(collection, std::mem::take(&mut batch)).await?;
            }
            batch.push(point);
        }
        if batch.points.is_empty() { Ok(()) } else { self.put_points(collection, batch).await }
    }

    async fn put_points(&self, collection: &Collection, batch: Batch) -> Result<(), QdrantError> {
        self.write(Method::PUT, &["collections", collection.name(), "points"], &batch).await
    }

    /// Removes the points that the filter means.
    ///
    /// # Errors
    /// [`QdrantError::NoCollection`], and what any call runs into.
    pub async fn delete_points(&self, collection: &Collection, filter: &Filter) -> Result<(), QdrantError> {
        let path = ["collections", collection.name(), "points", "delete"];
        self.write(Method::POST, &path, &json!({ "filter": filter })).await
    }

    /// How many points the filter means, exactly.
    ///
    /// # Errors
    /// [`QdrantError::NoCollection`], and what any call runs into.
    pub async fn count(&self, collection: &Collection, filter: &Filter) -> Result<u64, QdrantError> {
        let path = ["collections", collection.name(), "points", "count"];
        let request =
            self.server.request(Method::POST, &path, &[])?.json(&json!({ "filter": filter, "exact": true }))?;
        let counted: Counted = self.server.call(Call { request, bounds: READING, repeat: Repeat::Idempotent }).await?;
        Ok(counted.count)
    }

    /// The points that are nearest, most similar first.
    ///
    /// # Errors
    /// [`QdrantError::WrongDimensions`] and [`QdrantError::Invalid`] before anything is sent,
    /// [`QdrantError::NoCollection`], and what any call runs into.
    pub async fn search(&self, collection: &Collection, search: &Search) -> Result<Vec<Hit>, QdrantError> {
        let path = ["collections", collection.name(), "points", "query"];
        let request = self.server.request(Method::POST, &path, &[])?.json(&search.on_the_wire(collection)?)?;
        let found: Found = self.server.call(Call { request, bounds: SEARCHING, repeat: Repeat::Idempotent }).await?;
        search.hits(found)
    }

    /// A change that is the same if it is made twice, and is there when this returns.
    async fn write(&self, method: Method, path: &[&str], body: &(impl Serialize + ?Sized)) -> Result<(), QdrantError> {
        let request = self.server.request(method, path, &[("wait", "true")])?.json(body)?;
        let update: Update = self.server.call(Call { request, bounds: WRITING, repeat: Repeat::Idempotent }).await?;
        update.check()
    }
}

#[derive(Deserialize)]
struct Counted {
    count: u64,
}

/// What the server says of a change.
#[derive(Deserialize)]
struct Update {
    status: UpdateStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum UpdateStatus {
    Completed,
    /// It is in the server's log, and a replica that is behind will come to it.
    Acknowledged,
    /// It is in the server's log, but was not made in time.
    WaitTimeout,
}

impl Update {
    fn check(&self) -> Result<(), QdrantError> {
        match self.status {
            UpdateStatus::Completed | UpdateStatus::Acknowledged => Ok(()),
            UpdateStatus::WaitTimeout => {
                Err(QdrantError::TimedOut { source: "the change was accepted, but not made in time".into() })
            }
        }
    }
}

/// Points for one request.
#[derive(Default, Serialize)]
struct Batch {
    points: Vec<Box<RawValue>>,
    #[serde(skip)]
    bytes: usize,
}

impl Batch {
    /// A point that is larger than any request should be goes alone.
    fn has_room_for(&self, point: &RawValue) -> bool {
        self.points.is_empty()
            || (self.points.len() < MOST_POINTS && self.bytes.saturating_add(point.get().len()) <= MOST_BYTES)
    }

    fn push(&mut self, point: Box<RawValue>) {
        self.bytes = self.bytes.saturating_add(point.get().len());
        self.points.push(point);
    }
}

impl fmt::Debug for Qdrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Qdrant").field("host", &self.server.host()).finish_non_exhaustive()
    }
}
