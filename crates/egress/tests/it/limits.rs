//! Answers that are too large, too slow or broken.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use flate2::{Compression, write::GzEncoder};
use futures::{StreamExt, TryStreamExt};
use omni_egress::{Allow, Deadlines, Egress, EgressError, EgressPolicy, Request, TimedOut};

use crate::server::{Answer, Server, ok, ok_with};

fn egress(server: &Server) -> Egress {
    let allow = Allow::parse(&server.address.to_string()).unwrap();
    Egress::new(EgressPolicy { allow, ..EgressPolicy::default() }).unwrap()
}

fn get(server: &Server) -> Request {
    Request::get(server.url("/").parse().unwrap())
}

fn millis(headers: u64, idle: u64, total: u64) -> Deadlines {
    let [headers, idle, total] = [headers, idle, total].map(Duration::from_millis);
    Deadlines { headers, idle, total }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const HEAD_WITHOUT_LENGTH: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_body_up_to_the_limit_is_read_and_one_byte_more_is_not() {
    let server = Server::start(|_| ok(&[b'x'; 1000])).await;
    let egress = egress(&server);
    assert_eq!(egress.send(get(&server).max_body(1000)).await.unwrap().bytes().await.unwrap().len(), 1000);
    let error = egress.send(get(&server).max_body(999)).await.unwrap().bytes().await.unwrap_err();
    assert!(matches!(error, EgressError::TooLarge { limit: 999 }), "{error:?}");
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_not_waited_for() {
    let server =
        Server::start(|_| Answer::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000000\r\n\r\n".to_vec())).await;
    let error = egress(&server).send(get(&server)).await.unwrap().bytes().await.unwrap_err();
    assert!(matches!(error, EgressError::TooLarge { .. }), "{error:?}");
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let server = Server::start(|_| Answer::Flood(HEAD_WITHOUT_LENGTH.to_vec(), vec![b'x'; 64 * 1024])).await;
    let answer = egress(&server).send(get(&server).max_body(3_000_000)).await.unwrap();
    let mut received = 0;
    let mut chunks = std::pin::pin!(answer.bytes_stream());
    let error = loop {
        match chunks.next().await.unwrap() {
            Ok(chunk) => received += chunk.len(),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, EgressError::TooLarge { .. }), "{error:?}");
    assert!((2_000_000..=3_000_000).contains(&received), "{received}");
    assert!(chunks.next().await.is_none());
}

/// 16 MiB in 16 KiB. The limit counts what comes out, and no more than the limit ever does.
#[tokio::test]
async fn a_compression_bomb_is_counted_decompressed() {
    let bomb = gzip(&vec![0; 16 * MIB]);
    assert!(bomb.len() < 16 * MIB / 1000, "{}", bomb.len());
    let server = Server::start(move |_| ok_with("Content-Encoding: gzip\r\n", &bomb)).await;
    let answer = egress(&server).send(get(&server).max_body(5 * 1024 * 1024)).await.unwrap();
    let mut received = 0;
    let mut chunks = std::pin::pin!(answer.bytes_stream());
    let error = loop {
        match chunks.next().await.unwrap() {
            Ok(chunk) => {
                assert!(chunk.len() <= MIB, "a piece of {} bytes", chunk.len());
                received += chunk.len();
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(error, EgressError::TooLarge { limit: 5_242_880 }), "{error:?}");
    assert!(received <= 5 * MIB, "{received}");
}

#[tokio::test]
async fn a_compressed_body_arrives_plain() {
    let server = Server::start(|_| ok_with("Content-Encoding: gzip\r\n", &gzip(b"{\"answer\": 42}"))).await;
    let answer = egress(&server).send(get(&server)).await.unwrap();
    let json: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(json["answer"], 42);
    assert!(server.requests()[0].to_ascii_lowercase().contains("accept-encoding: gzip"));
}

#[tokio::test]
async fn a_silent_server_is_left_at_the_headers_deadline() {
    let server = Server::start(|_| Answer::Stall(Vec::new())).await;
    let start = Instant::now();
    let error = egress(&server).send(get(&server).deadlines(millis(100, 60_000, 60_000))).await.unwrap_err();
    assert!(matches!(error, EgressError::TimedOut(TimedOut::Headers)), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_body_that_falls_silent_is_left_at_the_idle_deadline() {
    let server = Server::start(|_| Answer::Stall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc".to_vec())).await;
    let egress = egress(&server);
    let mut answer = egress.send(get(&server).deadlines(millis(60_000, 100, 60_000))).await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "abc");
    let error = answer.chunk().await.unwrap_err();
    assert!(matches!(error, EgressError::TimedOut(TimedOut::Idle)), "{error:?}");
    assert!(answer.chunk().await.unwrap().is_none(), "after an error the body is over");
}

#[tokio::test]
async fn a_body_that_drips_is_left_at_the_total_deadline() {
    let drip = |_: &str| Answer::Drip(HEAD_WITHOUT_LENGTH.to_vec(), Duration::from_millis(20));
    let server = Server::start(drip).await;
    let start = Instant::now();
    let request = get(&server).deadlines(millis(60_000, 10_000, 300));
    let error = egress(&server).send(request).await.unwrap().bytes().await.unwrap_err();
    assert!(matches!(error, EgressError::TimedOut(TimedOut::Total)), "{error:?}");
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[tokio::test]
async fn redirects_share_one_total_deadline() {
    let server = Server::start(|request| {
        if request.starts_with("GET / ") { crate::server::redirect(302, "/slow") } else { Answer::Stall(Vec::new()) }
    })
    .await;
    let error = egress(&server).send(get(&server).deadlines(millis(60_000, 60_000, 200))).await.unwrap_err();
    assert!(matches!(error, EgressError::TimedOut(TimedOut::Total)), "{error:?}");
}

#[tokio::test]
async fn no_deadline_is_too_far_away_to_count() {
    let server = Server::start(|_| ok(b"hello")).await;
    let forever = Deadlines { headers: Duration::MAX, idle: Duration::MAX, total: Duration::MAX };
    let answer = egress(&server).send(get(&server).deadlines(forever)).await.unwrap();
    let chunks: Vec<_> = answer.bytes_stream().try_collect().await.unwrap();
    assert_eq!(chunks.concat(), b"hello");
}

#[tokio::test]
async fn a_broken_answer_is_the_servers_fault() {
    for broken in [&b"SSH-2.0-OpenSSH_9.6\r\n"[..], b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", b""] {
        let server = Server::start(|_| Answer::Close(broken.to_vec())).await;
        let error = match egress(&server).send(get(&server)).await {
            Ok(answer) => answer.bytes().await.unwrap_err(),
            Err(error) => error,
        };
        assert!(matches!(error, EgressError::Broken { .. }), "{broken:?}: {error:?}");
    }
    let server = Server::start(|_| ok(b"<html>")).await;
    let error = egress(&server).send(get(&server)).await.unwrap().json::<u8>().await.unwrap_err();
    assert!(matches!(error, EgressError::Json { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_of_another_shape_is_not_quoted() {
    for (answer, problem) in [
        (&b"\"a secret\""[..], "it has another shape at line 1, column 10"),
        (b"{\"a\": \"a secret\"}", "it has another shape at line 1, column 0"),
        (b"7, a secret", "it is no JSON at line 1, column 2"),
        (b"[", "it has another shape at line 1, column 0"),
    ] {
        let server = Server::start(move |_| ok(answer)).await;
        let error = egress(&server).send(get(&server)).await.unwrap().json::<u8>().await.unwrap_err();
        let EgressError::Json { source } = error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), problem);
    }
}

#[tokio::test]
async fn an_error_status_is_an_answer() {
    let server = Server::start(|_| Answer::Bytes(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate".to_vec())).await;
    let answer = egress(&server).send(get(&server)).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.bytes().await.unwrap(), "late");
}
