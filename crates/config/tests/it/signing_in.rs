use omni_config::{Auth, OidcEmails};
use secrecy::ExposeSecret;

use crate::{FAKE, load, refused};

const ISSUER: (&str, &str) = ("OMNI_OIDC_ISSUER", "https://accounts.example.com");
const CLIENT: (&str, &str) = ("OMNI_OIDC_CLIENT_ID", "omni");
const SECRET: (&str, &str) = ("OMNI_OIDC_CLIENT_SECRET", "hunter2");
const PUBLIC: (&str, &str) = ("OMNI_PUBLIC_URL", "https://omni.example.com");

#[test]
fn without_a_mode_and_an_issuer_it_says_what_to_set() {
    let error = load([]).unwrap_err();
    assert_eq!(error.problems().len(), 1);
    let text = error.to_string();
    for name in ["OMNI_AUTH_MODE", "OMNI_OIDC_ISSUER", "OMNI_PUBLIC_URL", "OMNI_AUTH_MODE=fake"] {
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn an_issuer_is_enough_to_choose_oidc() {
    let loaded = load([ISSUER, CLIENT, SECRET, PUBLIC]).unwrap();
    let Auth::Oidc { issuer, client_id, client_secret, emails, public_url } = loaded.config.auth.clone() else {
        panic!("{:?}", loaded.config.auth)
    };
    assert_eq!(emails, OidcEmails::Verified);
    // Without the slash that a URL would get: it is compared with the tokens letter by letter.
    assert_eq!(issuer, "https://accounts.example.com");
    assert_eq!((client_id.as_str(), client_secret.expose_secret()), ("omni", "hunter2"));
    assert_eq!(Some(public_url), loaded.config.public_url);
    let line = loaded.redacted_report().lines().find(|line| line.starts_with("OMNI_AUTH_MODE")).unwrap();
    assert!(line.contains("default") && line.ends_with("oidc"), "{line}");
}

#[test]
fn oidc_names_everything_that_it_lacks() {
    assert_eq!(
        refused(load([("OMNI_AUTH_MODE", "OIDC")])),
        ["OMNI_OIDC_ISSUER", "OMNI_OIDC_CLIENT_ID", "OMNI_OIDC_CLIENT_SECRET", "OMNI_PUBLIC_URL"]
    );
    assert_eq!(refused(load([ISSUER, CLIENT, PUBLIC])), ["OMNI_OIDC_CLIENT_SECRET"]);
    // A wrong value is reported once, as wrong, and not again as missing.
    assert_eq!(refused(load([ISSUER, CLIENT, SECRET, ("OMNI_PUBLIC_URL", "omni")])), ["OMNI_PUBLIC_URL"]);
}

#[test]
fn fake_signs_in_one_person_by_default_and_wins_over_an_issuer() {
    let auth = load([FAKE, ISSUER]).unwrap().config.auth;
    assert!(matches!(auth, Auth::Fake { user } if user == "dev@example.com"));
    let auth = load([FAKE, ("OMNI_FAKE_USER", "Ada@Example.com")]).unwrap().config.auth;
    assert!(matches!(auth, Auth::Fake { user } if user == "ada@example.com"));
}

#[test]
fn fake_never_meets_strangers() {
    for local in ["127.0.0.1:8000", "[::1]:8000", "[::ffff:127.0.0.1]:8000"] {
        assert!(load([FAKE, ("OMNI_HTTP_ADDR", local)]).is_ok(), "{local}");
    }
    for foreign in ["0.0.0.0:8000", "[::]:8000", "192.168.1.2:8000"] {
        let result = load([FAKE, ("OMNI_HTTP_ADDR", foreign)]);
        let text = result.as_ref().unwrap_err().to_string();
        assert!(text.contains(foreign) && text.contains("OMNI_AUTH_MODE=oidc"), "{text}");
        assert_eq!(refused(result), ["OMNI_HTTP_ADDR"]);
        assert!(load([("OMNI_HTTP_ADDR", foreign), ISSUER, CLIENT, SECRET, PUBLIC]).is_ok(), "{foreign}");
    }
    for foreign in
        [PUBLIC.1, "https://localhost:8000", "http://omni.example.com", "http://10.0.0.1:8000", "http://localhost.evil"]
    {
        assert_eq!(refused(load([FAKE, ("OMNI_PUBLIC_URL", foreign)])), ["OMNI_PUBLIC_URL"], "{foreign}");
    }
    for local in ["http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"] {
        assert!(load([FAKE, ("OMNI_PUBLIC_URL", local)]).is_ok(), "{local}");
    }
}
