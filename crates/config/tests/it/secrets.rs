use std::collections::BTreeMap;

use omni_config::Config;
use proptest::prelude::*;

use crate::file;

const CANARY: &str = "c4n4ry";

/// Whatever is wrong or right with the rest, what was given for a secret comes out nowhere.
fn shown(text: &str, variables: &BTreeMap<String, String>) -> String {
    match Config::load(Some(file(text).path()), variables) {
        Ok(loaded) => format!("{loaded:?}\n{:#?}\n{}", loaded.config, loaded.redacted_report()),
        Err(error) => format!("{error}\n{error:?}"),
    }
}

proptest! {
    #[test]
    fn no_secret_is_ever_shown(
        before in "(postgres://|nats://|https://|tls://a,nats://|)[a-z:@/\u{0}]{0,6}",
        mode in "(oidc|fake|other|)",
        connections in "(5|0)",
        in_file in any::<bool>(),
    ) {
        let secret = format!("{before}{CANARY}@host");
        let mut variables: BTreeMap<String, String> = [
            ("OMNI_AUTH_MODE", mode.as_str()),
            ("OMNI_DATABASE_CONNECTIONS", &connections),
            ("OMNI_OIDC_ISSUER", "https://accounts.example.com"),
            ("OMNI_OIDC_CLIENT_ID", "omni"),
            ("OMNI_PUBLIC_URL", if mode == "fake" { "http://localhost" } else { "https://omni.example.com" }),
        ].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let text = if in_file {
            let secret = secret.replace('\u{0}', "\\u0000");
            format!("[storage]\ndatabase_url = \"{secret}\"\nnats_url = \"{secret}\"\n[auth]\noidc_client_secret = \"{secret}\"")
        } else {
            for name in ["DATABASE_URL", "NATS_URL", "OMNI_OIDC_CLIENT_SECRET"] {
                variables.insert(name.to_owned(), secret.clone());
            }
            String::new()
        };
        let shown = shown(&text, &variables);
        prop_assert!(!shown.contains(CANARY), "{}", shown);
    }
}

#[test]
fn a_password_in_the_wrong_url_is_not_shown_either() {
    for name in ["OMNI_OIDC_ISSUER", "OMNI_PUBLIC_URL", "OMNI_API_URL", "OMNI_HTTP_ADDR"] {
        let variables = BTreeMap::from([(name.to_owned(), format!("https://ada:{CANARY}@example.com"))]);
        let shown = shown("", &variables);
        assert!(shown.contains(name) && !shown.contains(CANARY), "{shown}");
    }
}

#[test]
fn what_is_set_is_said_without_saying_what() {
    let variables = BTreeMap::from(
        [("OMNI_AUTH_MODE", "fake"), ("DATABASE_URL", "postgres://omni:c4n4ry@db/omni")]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let loaded = Config::load(None, &variables).unwrap();
    let line = loaded.redacted_report().lines().find(|line| line.starts_with("DATABASE_URL")).unwrap();
    assert!(line.contains("environment") && line.ends_with("set, not shown"), "{line}");
}
