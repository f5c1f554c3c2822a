use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;

use nix::unistd::{Pid, getpgid, getsid};
use omni_supervise::{Identity, Limits, Output, Spec};

use crate::setting::{next_line, owner_program, shell, supervisor};

const NOBODY: Identity = Identity { uid: 65534, gid: 65534 };

fn we_are_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[tokio::test]
async fn the_environment_is_empty_unless_set_and_input_is_at_its_end() {
    let (spec, mut lines) = shell("echo \"HOME=$HOME GREETING=$GREETING\"; read nothing || echo no input");
    let child = supervisor().spawn(spec.env("GREETING", "hello")).await.unwrap();
    assert_eq!(next_line(&mut lines).await, "HOME= GREETING=hello");
    assert_eq!(next_line(&mut lines).await, "no input");
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
}

/// Cargo sets these for every test.
#[tokio::test]
async fn an_inherited_environment_can_be_changed_and_thinned() {
    let (spec, mut lines) = shell("echo \"$CARGO_PKG_NAME, $CARGO_PKG_VERSION, ${CARGO_PKG_AUTHORS-none}\"");
    let spec = spec.inherit_env().env("CARGO_PKG_VERSION", "9").env_remove("CARGO_PKG_AUTHORS");
    let _child = supervisor().spawn(spec).await.unwrap();
    assert_eq!(next_line(&mut lines).await, "omni-supervise, 9, none");
}

#[tokio::test]
async fn both_streams_arrive_in_the_order_they_were_written() {
    let (spec, mut lines) = shell("echo one; echo two >&2; echo three; exit 7");
    let child = supervisor().spawn(spec).await.unwrap();
    for expected in ["one", "two", "three"] {
        assert_eq!(next_line(&mut lines).await, expected);
    }
    assert_eq!(child.wait().await.unwrap().code(), Some(7));
    assert_eq!(child.tail(), ["one", "two", "three"]);
    assert_eq!(child.exit_status().and_then(|status| status.code()), Some(7));
}

#[tokio::test]
async fn a_file_can_be_its_input_and_bytes_come_out_as_they_are() {
    use std::io::{Read, Seek, Write};

    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"\0no\xFF lines").unwrap();
    file.rewind().unwrap();
    let (mut reader, writer) = std::io::pipe().unwrap();
    let (spec, _lines) = shell("echo aside >&2; exec cat");
    let spec = spec.env("PATH", "/usr/bin:/bin").input(file).output(Output::Bytes(Arc::new(writer)));
    let child = supervisor().spawn(spec).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"\0no\xFF lines");
    assert_eq!(child.tail(), ["aside"]);
}

#[tokio::test]
async fn the_child_has_the_process_id_it_was_started_under_and_leads_its_own_session() {
    let (spec, mut lines) = shell("echo $$; exec /bin/sleep 1000");
    let child = supervisor().spawn(spec).await.unwrap();
    assert_eq!(next_line(&mut lines).await, child.pid().to_string());
    let pid = Pid::from_raw(child.pid().try_into().unwrap());
    assert_eq!((getpgid(Some(pid)), getsid(Some(pid))), (Ok(pid), Ok(pid)));
}

#[tokio::test]
async fn a_program_that_is_not_there_or_cannot_run_says_so() {
    let supervisor = supervisor();
    for (program, code) in [("/no/such/program", 127), ("/etc/passwd", 126)] {
        let child = supervisor.spawn(Spec::new("missing", program).output(Output::Discard)).await.unwrap();
        assert_eq!(child.wait().await.unwrap().code(), Some(code), "{program}");
        assert!(child.tail().concat().contains(program), "{:?}", child.tail());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_runs_in_the_background_steps_back() {
    let script = "cut -d ' ' -f 19 /proc/self/stat; cat /proc/self/autogroup 2> /dev/null || echo none";
    let (spec, mut lines) = shell(script);
    let _child = supervisor().spawn(spec.env("PATH", "/usr/bin:/bin").background(true)).await.unwrap();
    assert_eq!(next_line(&mut lines).await, "10");
    let group = next_line(&mut lines).await;
    assert!(group == "none" || group.ends_with("nice 10"), "{group}");
}

#[tokio::test]
async fn limits_bind_the_child() {
    let (spec, mut lines) = shell("ulimit -n; ulimit -Hn; ulimit -f");
    let limits = Limits { open_files: Some(17), file_size: Some(512 * 3), ..Limits::default() };
    let _child = supervisor().spawn(spec.limits(limits)).await.unwrap();
    for expected in ["17", "17", "3"] {
        assert_eq!(next_line(&mut lines).await, expected);
    }
}

/// Root becomes somebody else for good; anybody else is refused by the kernel.
#[tokio::test]
async fn another_account_is_taken_or_refused() {
    let (spec, mut lines) = shell("id -u; id -G; setpriv --reuid 0 true 2>/dev/null || echo no way back");
    let child = supervisor().spawn(spec.env("PATH", "/usr/bin:/bin").identity(NOBODY)).await.unwrap();
    if we_are_root() {
        for expected in ["65534", "65534", "no way back"] {
            assert_eq!(next_line(&mut lines).await, expected);
        }
    } else {
        assert_eq!(child.wait().await.unwrap().code(), Some(125));
        assert!(next_line(&mut lines).await.contains("cannot change the account"));
    }
}

/// The directory is entered before the account changes, so the child may work below a directory that it could not pass.
#[tokio::test]
async fn a_child_may_stand_below_a_directory_that_is_closed_to_it() {
    let closed = tempfile::tempdir().unwrap();
    let open = closed.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
    std::fs::set_permissions(closed.path(), PermissionsExt::from_mode(0o700)).unwrap();

    let (spec, _lines) = shell("touch here");
    let identity = we_are_root().then_some(NOBODY);
    let spec = spec.env("PATH", "/usr/bin:/bin").cwd(&open).identity(identity);
    let child = supervisor().spawn(spec).await.unwrap();
    assert_eq!(child.wait().await.unwrap().code(), Some(0), "{:?}", child.tail());
    assert!(open.join("here").exists());
}

/// Process 1 is not our parent: that is how an owner looks that died before the death signal was armed.
#[test]
fn a_launcher_without_its_owner_runs_nothing() {
    let launcher = |owner: &str| {
        let words = ["__supervised-launch", owner, "death-signal=SIGKILL", "--", "/bin/echo", "ran"];
        Command::new(owner_program()).args(words).output().unwrap()
    };
    let orphan = launcher("owner=1");
    assert_eq!((orphan.status.code(), orphan.stdout.as_slice()), (Some(125), &b""[..]));
    assert!(String::from_utf8_lossy(&orphan.stderr).contains("is gone already"));

    let owned = launcher(&format!("owner={}", std::process::id()));
    assert_eq!((owned.status.code(), owned.stdout.as_slice()), (Some(0), &b"ran\n"[..]));
}
