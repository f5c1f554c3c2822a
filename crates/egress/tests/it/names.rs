//! Resolvers that answer as a test says.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::future::BoxFuture;
use omni_egress::Resolver;

/// Answers every name with the next of a list of answers, over and over.
pub(crate) struct Rotating {
    answers: Vec<Vec<IpAddr>>,
    port: u16,
    asked: AtomicUsize,
}

impl Rotating {
    pub(crate) fn new(answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        Self { answers: answers.iter().map(parse).collect(), port: 9, asked: AtomicUsize::new(0) }
    }

    /// Answers with this port too, which nobody asked for.
    pub(crate) fn with_port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Every name leads to these addresses.
    pub(crate) fn always(answer: &[&str]) -> Self {
        Self::new(&[answer])
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolver for Rotating {
    fn lookup(&self, _host: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers[turn % self.answers.len()].iter().map(|ip| SocketAddr::new(*ip, self.port)).collect();
        Box::pin(async move { Ok(answer) })
    }
}

/// Knows no name.
pub(crate) struct Silent;

impl Resolver for Silent {
    fn lookup(&self, _host: &str) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async { Err(io::Error::other("10.9.8.7 says NXDOMAIN")) })
    }
}
