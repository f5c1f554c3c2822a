//! The table of addresses: against the registry's blocks, against `std`, and against itself in every disguise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use omni_egress::{Egress, EgressPolicy, globally_reachable};
use proptest::prelude::*;

fn reachable(ip: &str) -> bool {
    globally_reachable(ip.parse().unwrap())
}

/// The IANA special-purpose registries as of 2025, every block that is not globally reachable, and what the address
/// architecture (RFC 4291) keeps out of the global unicast space.
const NOT_REACHABLE: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::1/128",
    "::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001:2::/48",
    "2001:10::/28",
    "2001:db8::/32",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
];

#[test]
fn the_ends_of_every_registered_block_are_refused() {
    for block in NOT_REACHABLE {
        let block: IpNet = block.parse().unwrap();
        assert!(!globally_reachable(block.network()), "{block}");
        assert!(!globally_reachable(block.broadcast()), "{block}");
    }
}

#[test]
fn the_neighbours_of_the_blocks_are_public() {
    for ip in [
        "1.0.0.0",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2606:4700::1111",
        "3ffe:ffff::",
        "3fff:1000::",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
        "2001:0:808:808::f7f7:f7f7",
        "::ffff:8.8.8.8",
    ] {
        assert!(reachable(ip), "{ip}");
    }
}

#[test]
fn the_host_agent_of_azure_is_refused_though_its_address_is_public() {
    assert!(!reachable("168.63.129.16"));
}

/// Every IPv6 form whose packets end at `ip`.
fn disguises(ip: Ipv4Addr) -> [Ipv6Addr; 6] {
    let [a, b, c, d] = ip.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    [
        ip.to_ipv6_mapped(),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
        Ipv6Addr::new(0x2002, high, low, 0x1234, 0x5678, 0x9abc, 0xdef0, 0x1234),
        Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0xf7f7, 0xf7f7),
        Ipv6Addr::new(0x2001, 0, 0x0808, 0x0808, 0x8000, 0, !high, !low),
    ]
}

/// Half of them in a refused block: uniformly drawn addresses are nearly all public.
fn any_v4() -> impl Strategy<Value = Ipv4Addr> {
    let blocks: Vec<ipnet::Ipv4Net> = NOT_REACHABLE.iter().filter_map(|block| block.parse().ok()).collect();
    let refused = (prop::sample::select(blocks), any::<u32>()).prop_map(|(block, random)| {
        Ipv4Addr::from(u32::from(block.network()) | (random & u32::from(block.hostmask())))
    });
    prop_oneof![refused, any::<u32>().prop_map(Ipv4Addr::from)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_embedded_address_is_as_public_as_the_address_itself(ip in any_v4()) {
        let plain = globally_reachable(IpAddr::V4(ip));
        for disguise in disguises(ip) {
            prop_assert_eq!(globally_reachable(IpAddr::V6(disguise)), plain, "{} as {}", ip, disguise);
        }
    }

    #[test]
    fn the_deprecated_compatible_and_translated_forms_are_never_public(ip in any_v4()) {
        let [a, b, c, d] = ip.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        prop_assert!(!globally_reachable(Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low).into()));
        prop_assert!(!globally_reachable(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low).into()));
        prop_assert!(!globally_reachable(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low).into()));
    }

    #[test]
    fn what_std_knows_as_special_is_refused(ip in any_v4()) {
        let special = ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_broadcast()
            || ip.is_documentation() || ip.is_multicast() || ip.is_unspecified();
        prop_assert!(!special || !globally_reachable(ip.into()), "{}", ip);
    }

    #[test]
    fn outside_of_2000_slash_3_only_carriers_of_a_public_v4_are_public(bits in any::<u128>()) {
        let ip = Ipv6Addr::from(bits);
        let unicast = ip.segments()[0] >> 13 == 1;
        prop_assert!(unicast || !globally_reachable(ip.into()), "{}", ip);
        prop_assert!(!(ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_multicast())
            || !globally_reachable(ip.into()));
    }

    #[test]
    fn every_notation_of_a_refused_v4_is_refused(ip in any_v4(), path in "[a-z@#?:/]{0,8}") {
        let egress = egress();
        let [a, b, c, d] = ip.octets();
        let bits = u32::from(ip);
        let tail = bits & 0x00ff_ffff;
        for host in [
            format!("{ip}"), format!("{bits}"), format!("{bits:#x}"), format!("0{bits:o}"),
            format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"), format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"), format!("{a}.{tail}"),
            format!("{a:#x}.0{tail:o}"), format!("{a}.{b}.{}", bits & 0xffff), format!("{ip}."),
            format!("%{:x}{}", ip.to_string().as_bytes()[0], &ip.to_string()[1..]),
        ] {
            let checked = egress.parse(&format!("http://{host}/{path}"));
            prop_assert_eq!(checked.is_ok(), globally_reachable(ip.into()), "{} is {}", host, ip);
        }
        for disguise in disguises(ip) {
            let checked = egress.parse(&format!("https://[{disguise}]/{path}"));
            prop_assert_eq!(checked.is_ok(), globally_reachable(ip.into()), "{} is {}", disguise, ip);
        }
    }

    #[test]
    fn nothing_that_is_written_makes_the_check_panic(text in "\\PC{0,40}") {
        let egress = egress();
        let _either = egress.parse(&text);
        let _either = egress.parse(&format!("http://{text}"));
    }
}

fn egress() -> &'static Egress {
    static EGRESS: std::sync::OnceLock<Egress> = std::sync::OnceLock::new();
    EGRESS.get_or_init(|| Egress::new(EgressPolicy::default()).unwrap())
}
