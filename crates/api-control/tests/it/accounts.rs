//! Programs of other accounts of this machine.

use std::net::IpAddr;

use omni_api_control::{Accounts, Locality};
use omni_process::own_account;
use serde_json::json;
use tokio::process::Command;

use crate::bash::{Outcome, ask, send};
use crate::plane::{CANARY, Plane, REGISTER, SECRETS, request};

/// The account that nothing belongs to.
const NOBODY: u32 = 65_534;

fn shell(account: u32) -> Command {
    let mut shell = Command::new("bash");
    if account != own_account() {
        shell.uid(account).gid(account);
    }
    shell
}

/// Whether this process can be another account's for a while; says so if not.
fn can_be_nobody() -> bool {
    let can = own_account() == 0;
    if !can {
        eprintln!("SKIPPED: a client of another account needs root");
    }
    can
}

fn only_ours() -> Locality {
    Locality { strict: false, accounts: Some(Accounts::of_this_process().unwrap()) }
}

async fn secrets(plane: &Plane, account: u32, address: &str) -> Outcome {
    let address: IpAddr = address.parse().unwrap();
    ask(shell(account), address, plane.port(), &request(SECRETS, &[("Host", &plane.host())], "")).await
}

fn registration(plane: &Plane) -> String {
    let body = json!({ "name": "discord", "type": "channel", "pid": 1 }).to_string();
    request(REGISTER, &[("Host", &plane.host()), ("Content-Type", "application/json")], &body)
}

/// Row 20: with `peer_uid`, the kernel's word for whose the connection is decides.
#[tokio::test(flavor = "multi_thread")]
async fn another_account_is_refused_and_our_own_is_not() {
    for (bound, addresses) in
        [("127.0.0.1:0", &["127.0.0.1"][..]), ("[::1]:0", &["::1"]), ("[::]:0", &["127.0.0.1", "::1"])]
    {
        let plane = Plane::bound(bound, only_ours()).await;
        for address in addresses {
            let ours = secrets(&plane, own_account(), address).await;
            assert!(matches!(&ours, Outcome::Answered(200, body) if body.contains(CANARY)), "{bound}: {ours:?}");
            if can_be_nobody() {
                let theirs = secrets(&plane, NOBODY, address).await;
                let Outcome::Answered(403, body) = theirs else { panic!("{bound}: {theirs:?}") };
                assert!(body.contains("\"code\":\"OTHER_ACCOUNT\"") && !body.contains(CANARY), "{body}");
            }
        }
        plane.control.stop().await.unwrap();
    }
}

/// Row 20, for whoever hopes to be gone before somebody looks: the kernel files a closed connection under root.
#[tokio::test(flavor = "multi_thread")]
async fn another_account_changes_nothing_however_fast_it_leaves() {
    if !can_be_nobody() {
        return;
    }
    let plane = Plane::with(only_ours()).await;
    let (before, here) = (plane.stored().await, IpAddr::from([127, 0, 0, 1]));
    for _ in 0..20 {
        send(shell(NOBODY), here, plane.port(), &registration(&plane)).await;
    }
    let refused = ask(shell(NOBODY), here, plane.port(), &registration(&plane)).await;
    assert!(matches!(refused, Outcome::Answered(403, _)), "{refused:?}");
    assert_eq!(plane.stored().await, before);
    let accepted = ask(shell(own_account()), here, plane.port(), &registration(&plane)).await;
    assert!(matches!(accepted, Outcome::Answered(200, _)), "{accepted:?}");
    plane.control.stop().await.unwrap();
}

/// Row 20, without the mode: then it is the machine that counts, not the account.
#[tokio::test(flavor = "multi_thread")]
async fn by_default_every_account_of_this_machine_may_ask() {
    if !can_be_nobody() {
        return;
    }
    let plane = Plane::start().await;
    let theirs = secrets(&plane, NOBODY, "127.0.0.1").await;
    assert!(matches!(theirs, Outcome::Answered(200, _)), "{theirs:?}");
    plane.control.stop().await.unwrap();
}
