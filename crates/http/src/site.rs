use std::fmt;
use std::sync::Arc;

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use crate::{Dispatcher, Plane};

/// Several APIs on one socket, told apart by where their paths begin.
#[derive(Clone)]
pub struct Site {
    /// Each with where its paths begin; the first that fits answers.
    beside: Vec<(&'static str, Arc<dyn Answering>)>,
    /// Answers everything else.
    main: Arc<dyn Answering>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.beside.iter().map(|(beginning, _)| beginning)).finish()
    }
}

/// An API without its type.
trait Answering: Send + Sync {
    fn answer(self: Arc<Self>, head: HttpRequest, payload: Payload) -> LocalBoxFuture<'static, HttpResponse>;
}

impl<P: Plane> Answering for Dispatcher<P> {
    fn answer(self: Arc<Self>, head: HttpRequest, payload: Payload) -> LocalBoxFuture<'static, HttpResponse> {
        async move { Self::answer(&self, head, payload).await }.boxed_local()
    }
}

impl Site {
    /// A site of one API.
    #[must_use]
    pub fn new<P: Plane>(main: Arc<Dispatcher<P>>) -> Self {
        Self { beside: Vec::new(), main }
    }

    /// The same with another API beside it, for paths that begin so.
    #[must_use]
    pub fn with<P: Plane>(mut self, beginnings: &[&'static str], api: &Arc<Dispatcher<P>>) -> Self {
        for beginning in beginnings {
            let api: Arc<dyn Answering> = Arc::<Dispatcher<P>>::clone(api);
            self.beside.push((beginning, api));
        }
        self
    }

    pub(crate) fn answer(&self, head: HttpRequest, payload: Payload) -> LocalBoxFuture<'static, HttpResponse> {
        let is_in = |beginning: &str| {
            let rest = head.path().strip_prefix(beginning);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let beside = self.beside.iter().find(|(beginning, _)| is_in(beginning)).map(|(_, api)| api);
        Arc::clone(beside.unwrap_or(&self.main)).answer(head, payload)
    }
}
