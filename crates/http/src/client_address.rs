//! Where a request comes from, with proxies in between.

use std::net::IpAddr;

use ipnet::IpNet;
use omni_domain::Origin;

use crate::Visit;

/// The most characters that are kept of a call's path and of what a program calls itself.
const MOST_CHARACTERS: usize = 300;

/// The proxies whose word is taken for where a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// These networks' addresses are proxies.
    #[must_use]
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    fn include(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whose request it is: the socket's other end, unless that is a trusted proxy. Then it is the last address of
    /// `X-Forwarded-For` that is not one as well. Whatever is before that, anybody may have written.
    fn client(&self, peer: IpAddr, forwarded: &[&str]) -> IpAddr {
        let mut known = peer.to_canonical();
        let mut hops = forwarded.iter().rev().flat_map(|value| value.rsplit(',')).map(str::trim);
        while self.include(known) {
            match hops.next().and_then(read) {
                Some(hop) => known = hop,
                // A proxy that does not say who is behind it is all that there is to know.
                None => break,
            }
        }
        known
    }
}

/// An address, as some proxies write it with a port.
fn read(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or(hop);
    let address: Option<IpAddr> = bare.parse().ok();
    address.or_else(|| bare.split_once(':')?.0.parse().ok()).map(|address| address.to_canonical())
}

impl Visit {
    /// Whose request it is and what it asks.
    #[must_use]
    pub fn origin(&self, proxies: &TrustedProxies) -> Origin {
        let forwarded: Vec<&str> =
            self.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok()).collect();
        let shortened = |text: &str| text.chars().take(MOST_CHARACTERS).collect();
        Origin {
            call: shortened(&format!("{} {}", self.method(), self.path())),
            request_id: self.request_id().to_owned(),
            address: self.peer().map(|peer| proxies.client(peer.ip(), &forwarded)),
            user_agent: self.header("user-agent").map(shortened),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let proxies = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        proxies.client(peer.parse().unwrap(), forwarded).to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_no_proxy() {
        assert_eq!(client("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(TrustedProxies::default().client([10, 0, 0, 1].into(), &["1.2.3.4"]).to_string(), "10.0.0.1");
    }

    #[test]
    fn the_last_address_that_no_proxy_has_is_the_clients() {
        assert_eq!(client("10.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, 203.0.113.7, 10.9.9.9"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.1", "203.0.113.7"]), "203.0.113.7");
        assert_eq!(client("::ffff:10.0.0.1", &["203.0.113.7:4711"]), "203.0.113.7");
        assert_eq!(client("::1", &["[2001:db8::7]:443"]), "2001:db8::7");
    }

    #[test]
    fn what_cannot_be_read_ends_the_search() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.7, unknown"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.7, _hidden, 10.2.2.2"]), "10.2.2.2");
    }
}
