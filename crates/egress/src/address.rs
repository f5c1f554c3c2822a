//! Which addresses are on the public internet.
//!
//! The tables follow the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890 and its updates): a block
//! whose entry is not "globally reachable" is refused. They are stricter where a block has reachable exceptions that
//! never serve HTTP (192.0.0.0/24, 2001::/23). IPv6 is refused by default: IANA has allocated global unicast addresses
//! from 2000::/3 only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(segments: [u16; 4], prefix: u8) -> Ipv6Net {
    let [a, b, c, d] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

/// IPv4 blocks that are not the public internet.
const REFUSED_V4: [Ipv4Net; 17] = [
    v4(0, 0, 0, 0, 8),          // "this network", RFC 791; 0.0.0.0 connects to this machine
    v4(10, 0, 0, 0, 8),         // private use, RFC 1918
    v4(100, 64, 0, 0, 10),      // shared address space of carriers, RFC 6598; also 100.100.100.200, cloud metadata
    v4(127, 0, 0, 0, 8),        // loopback, RFC 1122
    v4(168, 63, 129, 16, 32),   // the host agent that Azure puts on a public address inside every virtual machine
    v4(169, 254, 0, 0, 16),     // link-local, RFC 3927; 169.254.169.254 is cloud metadata
    v4(172, 16, 0, 0, 12),      // private use, RFC 1918
    v4(192, 0, 0, 0, 24),       // IETF protocol assignments, RFC 6890
    v4(192, 0, 2, 0, 24),       // documentation (TEST-NET-1), RFC 5737
    v4(192, 88, 99, 0, 24),     // 6to4 relay anycast, deprecated by RFC 7526
    v4(192, 168, 0, 0, 16),     // private use, RFC 1918
    v4(198, 18, 0, 0, 15),      // benchmarking, RFC 2544
    v4(198, 51, 100, 0, 24),    // documentation (TEST-NET-2), RFC 5737
    v4(203, 0, 113, 0, 24),     // documentation (TEST-NET-3), RFC 5737
    v4(224, 0, 0, 0, 4),        // multicast, RFC 5771
    v4(240, 0, 0, 0, 4),        // reserved, RFC 1112
    v4(255, 255, 255, 255, 32), // limited broadcast, RFC 919
];

/// Where IANA allocates global unicast addresses, RFC 4291. Outside it lie ::, ::1, the v4-compatible ::/96, the local
/// NAT64 prefix 64:ff9b:1::/48 (RFC 8215: made for translating to private IPv4), discard-only 100::/64 (RFC 6666),
/// SRv6 SIDs 5f00::/16 (RFC 9602), unique-local fc00::/7 (RFC 4193; AWS and Google metadata live there), link-local
/// fe80::/10, site-local fec0::/10 (RFC 3879) and multicast ff00::/8.
const GLOBAL_UNICAST_V6: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

/// Blocks inside [`GLOBAL_UNICAST_V6`] that are not the public internet.
const REFUSED_V6: [Ipv6Net; 3] = [
    v6([0x2001, 0, 0, 0], 23), // IETF protocol assignments, RFC 2928: benchmarking, ORCHID, AMT, AS112 …
    v6([0x2001, 0x0db8, 0, 0], 32), // documentation, RFC 3849
    v6([0x3fff, 0, 0, 0], 20), // documentation, RFC 9637
];

/// The well-known prefix of IPv4/IPv6 translators, RFC 6052: the last 32 bits are where the packet goes.
const NAT64: Ipv6Net = v6([0x0064, 0xff9b, 0, 0], 96);
/// RFC 4380: the tunnel's server is in bits 32..64, its client, every bit flipped, in the last 32.
const TEREDO: Ipv6Net = v6([0x2001, 0, 0, 0], 32);
/// RFC 3056: the tunnel's far end is in bits 16..48.
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0], 16);

/// Whether `ip` is an address of the public internet.
///
/// An IPv6 address that carries an IPv4 address (v4-mapped, NAT64, 6to4, Teredo) is as public as the address inside it,
/// because that is where its packets end.
#[must_use]
pub fn globally_reachable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => v4_reachable(ip),
        IpAddr::V6(ip) => v6_reachable(ip),
    }
}

fn v4_reachable(ip: Ipv4Addr) -> bool {
    !REFUSED_V4.iter().any(|block| block.contains(&ip))
}

fn v6_reachable(ip: Ipv6Addr) -> bool {
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return v4_reachable(mapped);
    }
    let [_, _, a, b, c, d, e, f, _, _, _, _, w, x, y, z] = ip.octets();
    if NAT64.contains(&ip) {
        return v4_reachable(Ipv4Addr::new(w, x, y, z));
    }
    if TEREDO.contains(&ip) {
        return v4_reachable(Ipv4Addr::new(c, d, e, f)) && v4_reachable(Ipv4Addr::new(!w, !x, !y, !z));
    }
    if SIX_TO_FOUR.contains(&ip) {
        return v4_reachable(Ipv4Addr::new(a, b, c, d));
    }
    GLOBAL_UNICAST_V6.contains(&ip) && !REFUSED_V6.iter().any(|block| block.contains(&ip))
}
