//! Ports on which a public server is never asked for HTTP.

/// The "bad ports" of the Fetch standard (<https://fetch.spec.whatwg.org/#port-blocking>): services that read what an
/// HTTP request says as commands of their own (mail, news, chat, file sharing, printing). Sorted.
const NEVER_HTTP: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

/// Whether `port` belongs to a protocol that is not HTTP.
pub(crate) fn never_http(port: u16) -> bool {
    NEVER_HTTP.binary_search(&port).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{NEVER_HTTP, never_http};

    #[test]
    fn the_list_is_sorted_as_the_search_needs() {
        assert!(NEVER_HTTP.is_sorted());
        assert!(never_http(25) && never_http(0) && never_http(10080));
        assert!(!never_http(80) && !never_http(443) && !never_http(8080) && !never_http(11434));
    }
}
