//! A worker that has been taken over: it confines itself as the real one does, and then does what the file says.
//!
//! Only for tests. Whatever it manages to do, or is kept from, it answers as the text of the file.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::{fs, thread};

use nix::sys::signal::kill;
use nix::unistd::{Pid, getppid};
use omni_documents::worker;
use omni_supervise::launcher;

fn main() -> Result<(), Box<dyn Error>> {
    launcher::intercept();
    worker::confine()?;
    let mut order = String::new();
    io::stdin().read_to_string(&mut order)?;
    let outcome = match order.as_str() {
        "hang" => loop {
            thread::park();
        },
        "compute" => loop {
            std::hint::spin_loop();
        },
        "allocate" => format!("{}", vec![1_u8; 2 << 30].len()),
        "overflow" => format!("{}", descend(1)),
        "garbage" => return Ok(writeln!(io::stdout(), "{{\"extract\": 7")?),
        "flood" => loop {
            io::stdout().write_all(&[b' '; 4096])?;
        },
        "fail" => return Err("as asked".into()),
        other => tell(attempt(other)),
    };
    let answer = serde_json::json!({ "extract": { "format": "text", "sections": [{ "text": outcome }] } });
    Ok(writeln!(io::stdout(), "{answer}")?)
}

fn attempt(what: &str) -> io::Result<()> {
    match what {
        "read a file" => fs::read("/etc/passwd").map(drop),
        "write a file" => fs::write("/tmp/omni-documents-was-here", "x"),
        "list files" => fs::read_dir("/").map(drop),
        "connect" => TcpStream::connect("127.0.0.1:80").map(drop),
        "connect locally" => UnixStream::connect("/run/omni.sock").map(drop),
        "send" => UdpSocket::bind("127.0.0.1:0").map(drop),
        "run a program" => Command::new("/bin/true").status().map(drop),
        "start a thread" => thread::Builder::new().spawn(|| ()).map(drop),
        "signal the parent" => kill(getppid(), None).map_err(io::Error::from),
        "signal everybody" => kill(Pid::from_raw(-1), None).map_err(io::Error::from),
        other => Err(io::Error::other(format!("nobody knows how to {other}"))),
    }
}

fn tell(outcome: io::Result<()>) -> String {
    match outcome {
        Ok(()) => "done".to_owned(),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => "refused".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn descend(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    if depth == u64::MAX { 0 } else { descend(depth + 1) + room.iter().sum::<u64>() }
}
