use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::{Method, Plane, RouteSpec};

/// Finds the line of the table that a request is for. A path answers the same with and without a trailing slash.
pub struct Router<P: Plane> {
    paths: matchit::Router<Lines<P>>,
    tables: Vec<&'static [RouteSpec<P>]>,
}

type Lines<P> = Vec<&'static RouteSpec<P>>;

/// What a method and a path lead to.
pub(crate) enum Found<P: Plane> {
    /// An endpoint, and the parameters of the path.
    Endpoint(&'static RouteSpec<P>, Rc<[(String, String)]>),
    /// A path that exists, but not with this method; the methods that it does take.
    OtherMethods(String),
    /// Nothing.
    Nothing,
}

impl<P: Plane> Router<P> {
    /// Makes a router of tables.
    ///
    /// # Errors
    /// If two lines are for the same method and path, or two paths cannot be told apart.
    pub fn new(tables: &[&'static [RouteSpec<P>]]) -> Result<Arc<Self>, String> {
        let mut by_path: BTreeMap<&'static str, Lines<P>> = BTreeMap::new();
        for line in tables.iter().copied().flatten() {
            let lines = by_path.entry(line.path).or_default();
            if lines.iter().any(|other| other.method == line.method) {
                return Err(format!("two endpoints for {} {}", line.method.as_str(), line.path));
            }
            lines.push(line);
        }
        let mut paths = matchit::Router::new();
        for (path, lines) in by_path {
            paths.insert(path, lines).map_err(|error| format!("{path}: {error}"))?;
        }
        Ok(Arc::new(Self { paths, tables: tables.to_vec() }))
    }

    /// All lines of all tables.
    pub fn routes(&self) -> impl Iterator<Item = &'static RouteSpec<P>> + '_ {
        self.tables.iter().copied().flatten()
    }

    pub(crate) fn find(&self, method: &str, path: &str) -> Found<P> {
        let path = match path.strip_suffix('/') {
            Some("") | None => path,
            Some(trimmed) => trimmed,
        };
        let Ok(matched) = self.paths.at(path) else {
            return Found::Nothing;
        };
        match matched.value.iter().find(|line| line.method.as_str() == method) {
            Some(line) => {
                let parameters = matched.params.iter().map(|(name, value)| (name.to_owned(), decoded(value)));
                Found::Endpoint(line, parameters.collect())
            }
            None => {
                let methods: Vec<_> = matched.value.iter().map(|line| line.method).map(Method::as_str).collect();
                Found::OtherMethods(methods.join(", "))
            }
        }
    }
}

/// A path segment without its percent-encoding. One that decodes to no UTF-8 stays as it is, and is then no id.
fn decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment).decode_utf8().map_or_else(|_| segment.to_owned(), Into::into)
}
