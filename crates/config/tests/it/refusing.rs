use std::path::Path;

use omni_config::{Config, ConfigError};

use crate::{FAKE, environment, load, load_file, refused};

#[test]
fn a_wrong_value_names_both_its_names_what_was_given_and_what_would_be_right() {
    let error = load([FAKE, ("OMNI_HTTP_ADDR", "localhost")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration cannot be used:\n  OMNI_HTTP_ADDR (listen.http_addr in the file) is \"localhost\" in the \
         environment; expected an IP address and a port, such as 127.0.0.1:8000"
    );
    assert_eq!(ConfigError::EXIT_CODE, 78);
    assert_eq!((error.code(), error.problems()[0].code()), ("configuration", "setting_refused"));
    let error = load_file("[storage]\ndatabase_connections = 0", [FAKE]).unwrap_err().to_string();
    assert!(error.ends_with(r#"is "0" in the file; expected a whole number of connections from 1 to 1000"#), "{error}");
}

#[test]
fn all_problems_come_at_once() {
    let text = "[listen]\nhttp_adr = 'x'\n[outgoing]\negress_allow = 7.5";
    let found = refused(load_file(
        text,
        [("OMNI_CONTROL_ADDR", "0.0.0.0:8882"), ("LOG_FORMAT", "xml"), ("OMNI_OMNIADMINS", "ada, a@b, @c")],
    ));
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(
        sorted,
        [
            "LOG_FORMAT",
            "OMNI_AUTH_MODE",
            "OMNI_CONTROL_ADDR",
            "OMNI_EGRESS_ALLOW",
            "OMNI_OMNIADMINS",
            "OMNI_OMNIADMINS",
            "listen.http_adr"
        ]
    );
}

#[test]
fn every_form_is_checked() {
    for (variable, wrong) in [
        ("OMNI_HTTP_ADDR", "127.0.0.1"),
        ("OMNI_CONTROL_ADDR", "10.0.0.1:8882"),
        ("OMNI_CONTROL_ADDR", "127.0.0.1:8000"),
        ("OMNI_CONTROL_LOCALITY", "strict,anywhere"),
        ("OMNI_API_URL", "ftp://127.0.0.1"),
        ("OMNI_PUBLIC_URL", "http://localhost/omni"),
        ("OMNI_PUBLIC_URL", "http://ada:lovelace@localhost"),
        ("OMNI_DATA_DIR", ".."),
        ("OMNI_DATA_DIR", "/"),
        ("OMNI_DATA_DIR", "da\u{fffd}ta"),
        ("OMNI_SECRET_KEY_FILE", "a\u{7}b"),
        ("DATABASE_URL", "mysql://localhost/omni"),
        ("DATABASE_URL", "postgres://"),
        ("OMNI_DATABASE_CONNECTIONS", "many"),
        ("NATS_URL", "nats://one,http://two"),
        ("OMNI_AUTH_MODE", "none"),
        ("OMNI_FAKE_USER", "dev"),
        ("OMNI_OIDC_ISSUER", "accounts.example.com"),
        ("OMNI_OIDC_ISSUER", "https://accounts.example.com?tenant=1"),
        ("OMNI_OMNIADMINS", "ada"),
        ("OMNI_SESSION_HOURS", "0"),
        ("OMNI_MODEL_TOTAL_TIMEOUT", "1.5"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("OMNI_SHUTDOWN_GRACE", "-1"),
    ] {
        let mut variables = environment([FAKE]);
        variables.insert(variable.to_owned(), wrong.to_owned());
        assert_eq!(refused(Config::load(None, &variables)), [variable], "{variable}={wrong}");
    }
}

#[test]
fn the_control_plane_stays_on_this_machine() {
    for local in ["127.0.0.1:1", "127.8.8.8:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
        assert!(load([FAKE, ("OMNI_CONTROL_ADDR", local)]).is_ok(), "{local}");
    }
    for foreign in ["0.0.0.0:1", "[::]:1", "[::ffff:10.0.0.1]:1", "192.168.0.1:1"] {
        assert_eq!(refused(load([FAKE, ("OMNI_CONTROL_ADDR", foreign)])), ["OMNI_CONTROL_ADDR"], "{foreign}");
    }
    // Port 0 asks for any free port, so the two never meet.
    assert!(load([FAKE, ("OMNI_HTTP_ADDR", "127.0.0.1:0"), ("OMNI_CONTROL_ADDR", "127.0.0.1:0")]).is_ok());
}

#[test]
fn an_unknown_key_is_an_error_that_knows_better() {
    for (text, told) in [
        ("[listen]\nhttp_adr = 'x'", "listen.http_adr in the file is not a setting; did you mean listen.http_addr?"),
        ("http_addr = 'x'", "http_addr in the file is not a setting; did you mean listen.http_addr?"),
        (
            "[process]\nhttp_addr = 'x'",
            "process.http_addr in the file is not a setting; did you mean listen.http_addr?",
        ),
        ("[listne]\nhttp_addr = 'x'", "listne in the file is not a setting; did you mean [listen]?"),
        ("[auth]\nzzz = 'x'", "auth.zzz in the file is not a setting"),
        ("listen = 3", "listen in the file is not a setting; did you mean [listen]?"),
    ] {
        let error = load_file(text, [FAKE]).unwrap_err().to_string();
        assert_eq!(error.lines().nth(1).unwrap().trim(), told);
    }
}

#[test]
fn a_value_of_another_type_is_refused() {
    for value in ["true", "1.5", "2024-01-01", "{ a = 1 }", "['127.0.0.1:1']"] {
        assert_eq!(
            refused(load_file(&format!("[listen]\nhttp_addr = {value}"), [FAKE])),
            ["OMNI_HTTP_ADDR"],
            "{value}"
        );
    }
    assert_eq!(refused(load_file("[auth]\nomniadmins = [1]", [FAKE])), ["OMNI_OMNIADMINS"]);
}

#[test]
fn a_file_that_is_none_says_where() {
    let error = Config::load(Some(Path::new("/nowhere/omni.toml")), &environment([])).unwrap_err();
    assert_eq!(error.problems()[0].code(), "file_unreadable");
    assert!(error.to_string().contains("/nowhere/omni.toml: cannot be read: No such file"), "{error}");
    let error = load_file("[auth]\nfake_user = 'x'\noidc_client_secret = hunter2", []).unwrap_err();
    assert_eq!((error.problems().len(), error.problems()[0].code()), (1, "file_not_toml"));
    assert!(error.to_string().contains("line 3: not TOML: "), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}
