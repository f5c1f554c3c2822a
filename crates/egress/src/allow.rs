//! What the operator lets outgoing requests reach beyond the public internet.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use ipnet::IpNet;
use url::Host;

use crate::error::EgressError;

/// The allow-list of private addresses (`OMNI_EGRESS_ALLOW`).
///
/// An entry is a network (`10.0.0.0/8`: its addresses, at every port) or a `host:port`. The host may be an address
/// (`127.0.0.1:8080`, `[::1]:8080`: reached by that address or by any name that resolves to it) or a name
/// (`model.local:1234`: whatever this name resolves to). Nothing else about a name is trusted: the same name at another
/// port is an ordinary name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Network(IpNet),
    Address(SocketAddr),
    Name { host: String, port: u16 },
}

impl Allow {
    /// The empty list: only the public internet.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { entries: Vec::new() }
    }

    /// Reads a comma-separated list; blanks and empty entries are skipped.
    ///
    /// # Errors
    /// [`EgressError::AllowList`], with the entry and what is wrong with it.
    pub fn parse(list: &str) -> Result<Self, EgressError> {
        let entries = list
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                parse_entry(entry).map_err(|problem| EgressError::AllowList { entry: entry.to_owned(), problem })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// Whether `ip` at `port` may be connected to for a URL whose host is the name `name`, or `ip` itself if `None`.
    pub(crate) fn permits(&self, name: Option<&str>, ip: IpAddr, port: Option<u16>) -> bool {
        let ip = ip.to_canonical();
        self.entries.iter().any(|entry| match entry {
            Entry::Network(network) => network.contains(&ip),
            Entry::Address(allowed) => Some(allowed.port()) == port && allowed.ip() == ip,
            Entry::Name { host, port: allowed } => Some(*allowed) == port && name == Some(host),
        })
    }

    /// Whether an entry names exactly this host and port.
    pub(crate) fn names(&self, host: &Host<&str>, port: u16) -> bool {
        self.entries.iter().any(|entry| match (entry, host) {
            (Entry::Name { host: allowed, port: at }, Host::Domain(name)) => *at == port && allowed == name,
            (Entry::Address(allowed), Host::Ipv4(ip)) => *allowed == SocketAddr::from((*ip, port)),
            (Entry::Address(allowed), Host::Ipv6(ip)) => {
                allowed.port() == port && allowed.ip() == IpAddr::from(*ip).to_canonical()
            }
            _ => false,
        })
    }

    /// The ports of the `host:port` entries.
    pub(crate) fn ports(&self) -> BTreeSet<u16> {
        self.entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Network(_) => None,
                Entry::Address(address) => Some(address.port()),
                Entry::Name { port, .. } => Some(*port),
            })
            .collect()
    }
}

fn parse_entry(entry: &str) -> Result<Entry, String> {
    if entry.contains("://") {
        return Err("is a URL; write host:port".to_owned());
    }
    if entry.contains('/') {
        return parse_network(entry).map(Entry::Network);
    }
    if let Ok(ip) = entry.parse::<IpAddr>() {
        let (host, bits) = if ip.is_ipv6() { (format!("[{ip}]"), 128) } else { (ip.to_string(), 32) };
        return Err(format!("names no port; write {host}:PORT, or {ip}/{bits} for every port"));
    }
    let Some((host, port)) = entry.rsplit_once(':') else {
        return Err(format!("names no port; write {entry}:PORT"));
    };
    let port = match port.parse() {
        Ok(0) | Err(_) => return Err("has no port between 1 and 65535 after its last colon".to_owned()),
        Ok(port) => port,
    };
    if host.contains('*') {
        return Err("has a wildcard; write every name, or the network they are in".to_owned());
    }
    match Host::parse(host) {
        Ok(Host::Ipv4(ip)) => Ok(Entry::Address((ip, port).into())),
        Ok(Host::Ipv6(ip)) => Ok(Entry::Address((IpAddr::from(ip).to_canonical(), port).into())),
        Ok(Host::Domain(name)) if !name.is_empty() && !name.ends_with('.') => Ok(Entry::Name { host: name, port }),
        Ok(Host::Domain(_)) | Err(_) => Err("has no valid host before its last colon".to_owned()),
    }
}

fn parse_network(entry: &str) -> Result<IpNet, String> {
    let network: IpNet = entry.parse().map_err(|_| "is not a network such as 10.0.0.0/8 or fd00::/8".to_owned())?;
    if network.addr().to_canonical() != network.addr() {
        return Err("is IPv4 written as IPv6; write the IPv4 network".to_owned());
    }
    if network.trunc() != network {
        return Err(format!("has bits beyond its prefix; write {}", network.trunc()));
    }
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::Allow;
    use crate::error::EgressError;

    #[test]
    fn networks_addresses_and_names_are_read() {
        let list = "127.0.0.1:8080, 10.0.0.0/8,, Model.Local:1234,[::1]:9,fd00::/8 ,";
        assert_eq!(Allow::parse(list).unwrap().entries.len(), 5);
        assert_eq!(Allow::parse(" ").unwrap(), Allow::nothing());
        for (written, meant) in [("bücher.local:80", "xn--bcher-kva.local:80"), ("[::ffff:10.0.0.1]:80", "10.0.0.1:80")]
        {
            assert_eq!(Allow::parse(written).unwrap(), Allow::parse(meant).unwrap());
        }
    }

    #[test]
    fn an_unreadable_entry_is_named_with_what_to_write_instead() {
        for (entry, advice) in [
            ("http://127.0.0.1:8080", "write host:port"),
            ("127.0.0.1", "write 127.0.0.1:PORT, or 127.0.0.1/32"),
            ("::1", "write [::1]:PORT, or ::1/128"),
            ("model.local", "write model.local:PORT"),
            ("model.local:", "no port between"),
            ("model.local:0", "no port between"),
            ("model.local:65536", "no port between"),
            (":80", "no valid host"),
            ("model.local.:80", "no valid host"),
            ("a b:80", "no valid host"),
            ("[::1:80", "no valid host"),
            ("*.local:80", "wildcard"),
            ("10.0.0.0/33", "is not a network"),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("::ffff:10.0.0.0/104", "write the IPv4 network"),
            ("local/8", "is not a network"),
        ] {
            let error = Allow::parse(&format!("10.0.0.0/8,{entry}")).unwrap_err();
            assert!(matches!(&error, EgressError::AllowList { entry: named, .. } if named == entry), "{error:?}");
            assert!(error.to_string().contains(advice), "{error}");
        }
    }
}
