//! A worker that does not do its work, but what somebody who took it over would do.

use std::time::{Duration, Instant};

use omni_documents::{Flaw, ParseLimits, ParseRequest, Parser, Unreadable};
use omni_domain::Failure;

use crate::setting::{patient, stored, supervisor};

/// What the hostile worker makes of an order.
async fn order(limits: ParseLimits, order: &str) -> Result<String, Unreadable> {
    let (_directory, file) = stored(order.as_bytes());
    let parser = Parser::new(supervisor("hostile"), limits).unwrap();
    let extract = parser.parse(&file, ParseRequest::named("order.txt")).await?;
    Ok(extract.whole_text().text)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_cannot_reach_files_network_programs_or_processes() {
    for attempt in [
        "read a file",
        "write a file",
        "list files",
        "connect",
        "connect locally",
        "send",
        "run a program",
        "start a thread",
        "signal the parent",
        "signal everybody",
    ] {
        assert_eq!(order(patient(), attempt).await.unwrap(), "refused", "{attempt}");
    }
}

#[tokio::test]
async fn it_cannot_wait_for_ever() {
    let limits = ParseLimits { deadline: Duration::from_secs(1), ..patient() };
    let refusal = order(limits, "hang").await.unwrap_err();
    assert_eq!(refusal.to_string(), "reading the file took longer than 1 seconds; split it");
}

#[tokio::test]
async fn it_cannot_compute_for_ever() {
    let limits = ParseLimits { processor_seconds: 1, ..patient() };
    let refusal = order(limits, "compute").await.unwrap_err();
    assert_eq!(refusal.to_string(), "reading the file took more than 1 seconds of processor time; split it");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn it_cannot_take_all_memory() {
    let refusal = order(patient(), "allocate").await.unwrap_err();
    assert_eq!(refusal.to_string(), "reading the file takes more than 536 MB of memory; split it");
}

#[tokio::test]
async fn an_overflown_stack_is_its_own_end_only() {
    let refusal = order(patient(), "overflow").await.unwrap_err();
    assert!(matches!(refusal, Unreadable::Crashed), "{refusal:?}");
    assert_eq!(refusal.code(), "file_crashes_reader");
}

#[tokio::test]
async fn what_is_no_answer_is_not_taken_for_one() {
    assert!(matches!(order(patient(), "garbage").await, Err(Unreadable::Garbled(_))));
    assert!(matches!(order(patient(), "fail").await, Err(Unreadable::NoWorker { code: Some(1) })));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let limits = ParseLimits { text_bytes: 1000, ..patient() };
    let refusal = order(limits, "flood").await.unwrap_err();
    assert!(matches!(refusal, Unreadable::Flaw(Flaw::TooMuchText { limit: 1000 })), "{refusal:?}");
}

/// The one slot is taken by a child that would hold it for minutes; dropping its future frees it at once.
#[tokio::test]
async fn dropping_the_future_kills_the_child_and_frees_its_slot() {
    let limits = ParseLimits { children: 1, ..patient() };
    let parser = Parser::new(supervisor("hostile"), limits).unwrap();
    let (_directory, hang) = stored(b"hang");
    let (_other_directory, quick) = stored(b"anything");
    let started = Instant::now();
    let dropped = tokio::time::timeout(Duration::from_secs(1), parser.parse(&hang, ParseRequest::named("a.txt"))).await;
    assert!(dropped.is_err());
    let next = parser.parse(&quick, ParseRequest::named("a.txt")).await.unwrap();
    assert_eq!(next.whole_text().text, "nobody knows how to anything");
    assert!(started.elapsed() < limits.deadline);
}
