//! Whose a connection is, as Linux tells it in `/proc/net/tcp` and `/proc/net/tcp6`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use nix::unistd::geteuid;

/// The kernel's table of the TCP sockets that this process could reach: those of its network namespace.
#[derive(Debug, Clone)]
pub struct SocketTable {
    folder: PathBuf,
}

/// How often the table is read for a socket: the kernel writes it out piece by piece, and a socket that closes meanwhile
/// can make it pass over a neighbour.
const READINGS: usize = 2;

impl SocketTable {
    /// The table of this system.
    ///
    /// # Errors
    /// If the system has none; only Linux has.
    pub fn open() -> io::Result<Self> {
        Self::at("/proc/net".into())
    }

    fn at(folder: PathBuf) -> io::Result<Self> {
        File::open(folder.join("tcp"))?;
        Ok(Self { folder })
    }

    /// The user id of the account that opened the socket at `end`, whose other end is at `other`; nothing if no process has
    /// it open. Reads files, so it may block for as long as the machine has many sockets.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub fn owner(&self, end: SocketAddr, other: SocketAddr) -> io::Result<Option<u32>> {
        for _ in 0..READINGS {
            for (file, [end, other]) in spellings(end, other) {
                let uid = self.search(file, &end, &other)?;
                if uid.is_some() {
                    return Ok(uid);
                }
            }
        }
        Ok(None)
    }

    fn search(&self, file: &str, end: &str, other: &str) -> io::Result<Option<u32>> {
        let table = match File::open(self.folder.join(file)) {
            // A kernel without IPv6 has no table of it.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            table => BufReader::new(table?),
        };
        for line in table.lines() {
            if let Some(uid) = owner_in(&line?, end, other) {
                return Ok(Some(uid));
            }
        }
        Ok(None)
    }
}

/// The user id that this process acts with.
#[must_use]
pub fn own_account() -> u32 {
    geteuid().as_raw()
}

/// The uid of a line that is about this socket.
///
/// A socket that its process has closed stays in the table while the connection winds down, without an inode and as if it
/// were root's. So a line without an inode tells nothing: else whoever closes fast enough would be root.
fn owner_in(line: &str, end: &str, other: &str) -> Option<u32> {
    // sl, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode
    let mut fields = line.split_ascii_whitespace().skip(1);
    if fields.next()? != end || fields.next()? != other {
        return None;
    }
    let mut rest = fields.skip(4);
    let uid = rest.next()?.parse().ok()?;
    let inode: u64 = rest.nth(1)?.parse().ok()?;
    (inode != 0).then_some(uid)
}

/// How the tables spell a pair of addresses: IPv4 in its own, and in that of IPv6 if the socket there speaks it, too.
fn spellings(end: SocketAddr, other: SocketAddr) -> impl Iterator<Item = (&'static str, [String; 2])> {
    let both = [end, other].map(|address| (address.ip().to_canonical(), address.port()));
    let is_v4 = both.iter().all(|(ip, _)| ip.is_ipv4());
    let v4 = is_v4.then(|| ("tcp", both.map(|(ip, port)| spell(ip, port))));
    let v6 = ("tcp6", both.map(|(ip, port)| spell(IpAddr::V6(mapped(ip)), port)));
    v4.into_iter().chain([v6])
}

fn mapped(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// An address as the tables have it: words of 32 bits in the machine's own order, then the port.
fn spell(ip: IpAddr, port: u16) -> String {
    let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |word| u32::from_ne_bytes(*word));
    let words: String = match ip {
        IpAddr::V4(ip) => format!("{:08X}", word(&ip.octets())),
        IpAddr::V6(ip) => ip.octets().chunks(4).map(|bytes| format!("{:08X}", word(bytes))).collect(),
    };
    format!("{words}:{port:04X}")
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn owner_of(bind: &str) -> Option<u32> {
        let listener = TcpListener::bind(bind).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert_eq!(client.local_addr().unwrap(), peer);
        SocketTable::open().unwrap().owner(peer, server.local_addr().unwrap()).unwrap()
    }

    #[test]
    fn this_process_owns_its_connections() {
        for bind in ["127.0.0.1:0", "[::1]:0"] {
            assert_eq!(owner_of(bind), Some(own_account()), "{bind}");
        }
    }

    /// The server sees `::ffff:127.0.0.1`, and the client's socket is in the table of IPv4.
    #[test]
    fn an_ipv4_client_of_an_ipv6_server_is_found() {
        let listener = TcpListener::bind("[::]:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (server, peer) = listener.accept().unwrap();
        assert!(peer.is_ipv6());
        let table = SocketTable::open().unwrap();
        assert_eq!(table.owner(peer, server.local_addr().unwrap()).unwrap(), Some(own_account()));
    }

    #[test]
    fn a_connection_that_its_process_has_closed_is_nobodys() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, peer) = listener.accept().unwrap();
        drop(client);
        let table = SocketTable::open().unwrap();
        assert_eq!(table.owner(peer, server.local_addr().unwrap()).unwrap(), None);
    }

    #[test]
    fn lines_are_read_as_the_kernel_writes_them() {
        let line = |uid: &str, inode: &str| {
            format!(
                "   1: 0100007F:A3F2 0100007F:22B2 01 00000000:00000000 00:00000000 00000000 {uid}        0 {inode} 1 \
                 0000000013d2be44 20 4 30 10 -1"
            )
        };
        let read = |uid, inode| owner_in(&line(uid, inode), "0100007F:A3F2", "0100007F:22B2");
        assert_eq!(read(" 65534", "4711"), Some(65_534));
        assert_eq!(read("     0", "4711"), Some(0));
        assert_eq!(read("     0", "0"), None, "no process has it open");
        assert_eq!(owner_in(&line("0", "4711"), "0100007F:22B2", "0100007F:A3F2"), None, "the other end's");
        for cut in ["", "  sl  local_address", "1: 0100007F:A3F2 0100007F:22B2 01 0:0"] {
            assert_eq!(owner_in(cut, "0100007F:A3F2", "0100007F:22B2"), None, "{cut}");
        }
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn addresses_are_spelled_as_the_kernel_does() {
        let spelled = |end: &str, other: &str| -> Vec<_> {
            spellings(end.parse().unwrap(), other.parse().unwrap()).map(|(file, [end, _])| (file, end)).collect()
        };
        let mapped = "0000000000000000FFFF00000100007F:A3F2".to_owned();
        let v4 = vec![("tcp", "0100007F:A3F2".to_owned()), ("tcp6", mapped)];
        assert_eq!(spelled("127.0.0.1:41970", "127.0.0.1:8882"), v4);
        assert_eq!(spelled("[::ffff:127.0.0.1]:41970", "[::ffff:127.0.0.1]:8882"), v4);
        let v6 = vec![("tcp6", "00000000000000000000000001000000:22B2".to_owned())];
        assert_eq!(spelled("[::1]:8882", "[::1]:41970"), v6);
    }

    #[test]
    fn a_system_without_the_table_says_so_at_once() {
        let error = SocketTable::at("/nowhere".into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
