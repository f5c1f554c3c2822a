//! Servers that send too much, too slowly, or nonsense.

use std::time::Duration;

use omni_crawl::{FetchFailure, FetchLimits, Fetched, Fetcher, FetcherParts, Validators};
use tokio::time::Instant;

use crate::{
    memory::{Peak, measure_alone},
    pages::{failed, visit},
    server::{Answer, Server, answer, gzip},
};

const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn endless_pages_and_bombs_take_no_memory() {
    measure_alone("hostile::endless_pages_and_bombs");
}

#[tokio::test]
#[ignore = "measures the memory of its process; another test runs it alone"]
async fn endless_pages_and_bombs() {
    let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
    let endless = Server::start(move |_| Answer::Flood(ENDLESS.to_vec(), chunk.clone())).await;
    let packed = gzip(&vec![b' '; 64 << 20]);
    assert!(packed.len() < (64 << 20) / 1_000, "one in a thousand");
    let bomb =
        Server::start(move |_| answer(200, "Content-Type: text/html\r\nContent-Encoding: gzip\r\n", &packed)).await;
    let peak = Peak::since_now();
    for server in [endless, bomb] {
        assert_eq!(visit(&server, "/").await, Fetched::TooLarge);
    }
    println!("endless page and bomb: {} KB", peak.bytes() / 1024);
    assert!(peak.bytes() < 50 << 20, "{}", peak.bytes());
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_not_waited_for() {
    let announced = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000000000\r\n\r\n".to_vec();
    let server = Server::start(move |_| Answer::Drip(announced.clone(), Duration::from_secs(60))).await;
    assert_eq!(visit(&server, "/").await, Fetched::TooLarge);
}

#[tokio::test]
async fn a_page_that_drips_is_left_at_the_deadline() {
    let drip = |_: &str| {
        Answer::Drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n".to_vec(), Duration::from_millis(20))
    };
    let server = Server::start(drip).await;
    let limits = FetchLimits { deadline: Duration::from_millis(300), ..FetchLimits::default() };
    let fetcher = Fetcher::new(FetcherParts { limits, ..server.parts(&server.policy()) });
    let start = Instant::now();
    let fetched = fetcher.fetch(&server.page("/"), &Validators::default()).await;
    assert_eq!(fetched, failed(FetchFailure::TimedOut, true));
    assert!(start.elapsed() >= Duration::from_millis(290) && start.elapsed() < Duration::from_secs(10));
    assert_eq!(FetchLimits::default().deadline, Duration::from_secs(60));
}

#[tokio::test]
async fn what_is_no_answer_may_go_better_next_time() {
    for broken in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\nabc",
    ] {
        let server = Server::start(|_| Answer::Close(broken.to_vec())).await;
        assert_eq!(visit(&server, "/").await, failed(FetchFailure::Broken, true));
    }
    let server = Server::of([]).await;
    let fetcher = server.fetcher();
    let page = server.page("/");
    drop(server);
    let fetched = fetcher.fetch(&page, &Validators::default()).await;
    assert!(
        matches!(fetched, Fetched::Failed { reason: FetchFailure::ConnectFailed | FetchFailure::Broken, retry: true }),
        "{fetched:?}"
    );
}
