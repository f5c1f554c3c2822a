use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::Compress;
use actix_web::rt::net::TcpStream;
use actix_web::web::Payload;
use actix_web::{App, HttpRequest, HttpServer, web};

use crate::Site;
use crate::visit::NearEnd;

/// How long a client may take to send the head of a request.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection may be idle between two requests.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// How an API is served.
#[derive(Debug, Clone, Copy)]
pub struct ServerOptions {
    /// How many threads serve.
    pub workers: usize,
    /// How long a stop waits for requests that are being answered.
    pub grace: Duration,
    /// The most connections of one worker at once.
    pub connections: usize,
}

/// Serves APIs on a bound socket until the handle stops it. Signals are the program's business.
///
/// # Errors
/// If the socket cannot be served.
pub fn serve(
    socket: TcpListener,
    site: Site,
    options: ServerOptions,
) -> std::io::Result<(Server, ServerHandle, SocketAddr)> {
    let address = socket.local_addr()?;
    let server = HttpServer::new(move || {
        let site = site.clone();
        App::new()
            .wrap(Compress::default())
            .default_service(web::to(move |head: HttpRequest, payload: Payload| site.answer(head, payload)))
    })
    .on_connect(|connection, data| {
        if let Some(near) = connection.downcast_ref::<TcpStream>().and_then(|stream| stream.local_addr().ok()) {
            data.insert(NearEnd(near));
        }
    })
    .workers(options.workers)
    .max_connections(options.connections)
    .client_request_timeout(HEAD)
    .keep_alive(KEEP_ALIVE)
    .shutdown_timeout(options.grace.as_secs())
    .disable_signals()
    .listen(socket)?
    .run();
    let handle = server.handle();
    Ok((server, handle, address))
}
