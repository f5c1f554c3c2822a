use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use omni_config::{Auth, Config, ControlLocality, Environment, LogFormat, process_environment};
use proptest::prelude::*;
use secrecy::ExposeSecret;

use crate::{FAKE, environment, load, load_file};

#[test]
fn the_defaults_are_those_of_the_reference() {
    let config = load([FAKE]).unwrap().config;
    assert_eq!(config.http_addr.to_string(), "127.0.0.1:8000");
    assert_eq!(config.control_addr.to_string(), "127.0.0.1:8882");
    assert_eq!(config.control_locality, ControlLocality::default());
    assert_eq!(config.api_url.as_str(), "http://127.0.0.1:8882/");
    assert_eq!(config.public_url, None);
    assert_eq!(config.secret_key_file, Path::new("./data/keys/master.key"));
    assert!(config.database_url.is_none() && config.nats_url.is_none());
    assert_eq!(config.database_connections, 20);
    assert!(config.omniadmins.is_empty() && config.egress_allow.is_empty());
    assert_eq!(config.session_lifetime, Duration::from_secs(12 * 3_600));
    assert_eq!(config.session_idle, Duration::from_secs(2 * 3_600));
    assert_eq!(config.model_deadlines.first_byte, Duration::from_secs(60));
    assert_eq!(config.model_deadlines.idle, Duration::from_secs(60));
    assert_eq!(config.model_deadlines.total, Duration::from_secs(600));
    assert_eq!((config.log_level.as_str(), config.log_format), ("info", LogFormat::Auto));
    assert_eq!(config.shutdown_grace, Duration::from_secs(10));
    assert_eq!(config.channel_startup.delay, Duration::from_secs(2));
    assert_eq!(config.channel_startup.connections, 5);
    assert_eq!(config.channel_startup.health_timeout, Duration::from_secs(30));
}

#[test]
fn the_data_folder_has_its_rooms_and_the_logs_beside_it() {
    let loaded = load([FAKE, ("OMNI_DATA_DIR", "/var/lib/omni/data")]).unwrap();
    let data = &loaded.config.data_dir;
    assert_eq!(data.path(), Path::new("/var/lib/omni/data"));
    let rooms = [data.pg(), data.nats(), data.blobs(), data.auth(), data.media(), data.keys()];
    let names: Vec<_> = rooms.iter().map(|room| room.strip_prefix(data.path()).unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["pg", "nats", "blobs", "auth", "media", "keys"]);
    assert_eq!(data.logs(), Path::new("/var/lib/omni/logs"));
    assert_eq!(loaded.config.secret_key_file, Path::new("/var/lib/omni/data/keys/master.key"));
    assert_eq!(load([FAKE]).unwrap().config.data_dir.logs(), Path::new("./logs"));
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_default() {
    let text =
        "[listen]\nhttp_addr = '127.0.0.1:7000'\n[storage]\ndatabase_connections = 5\n[process]\nshutdown_grace = 3";
    let loaded = load_file(text, [FAKE, ("OMNI_DATABASE_CONNECTIONS", "7")]).unwrap();
    assert_eq!(loaded.config.http_addr.port(), 7000);
    assert_eq!(loaded.config.database_connections, 7);
    assert_eq!(loaded.config.shutdown_grace, Duration::from_secs(3));
    let report = loaded.redacted_report();
    let line = |name: &str| {
        let line = report.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line("OMNI_HTTP_ADDR"), ["file", "127.0.0.1:7000"]);
    assert_eq!(line("OMNI_DATABASE_CONNECTIONS"), ["environment", "7"]);
    assert_eq!(line("OMNI_CONTROL_ADDR"), ["default", "127.0.0.1:8882"]);
    assert_eq!(line("OMNI_SECRET_KEY_FILE"), ["default", "./data/keys/master.key"]);
    assert_eq!(line("OMNI_OMNIADMINS"), ["default", "nobody"]);
}

#[test]
fn an_empty_value_is_none_and_the_rest_is_trimmed() {
    let text = "[listen]\nhttp_addr = '127.0.0.1:7000'\ncontrol_addr = ''";
    let config = load_file(text, [FAKE, ("OMNI_HTTP_ADDR", "  "), ("OMNI_DATA_DIR", " kept\n")]).unwrap().config;
    assert_eq!(config.http_addr.port(), 7000);
    assert_eq!(config.control_addr.port(), 8882);
    assert_eq!(config.data_dir.path(), Path::new("kept"));
}

#[test]
fn a_list_is_text_or_an_array() {
    let expected = ["ada@example.com", "grace@example.com"];
    let text = "[auth]\nomniadmins = ['Ada@Example.com', 'grace@example.com']";
    assert_eq!(load_file(text, [FAKE]).unwrap().config.omniadmins, expected);
    let list = ("OMNI_OMNIADMINS", "Ada@Example.com,, grace@example.com ,");
    assert_eq!(load([FAKE, list]).unwrap().config.omniadmins, expected);
    let text = "[outgoing]\negress_allow = ['127.0.0.1:11434', '10.0.0.0/8']";
    assert_eq!(load_file(text, [FAKE]).unwrap().config.egress_allow, "127.0.0.1:11434, 10.0.0.0/8");
}

#[test]
fn what_the_control_plane_asks_for_adds_up() {
    let asked = |strict, peer_uid| ControlLocality { strict, peer_uid };
    for (words, locality) in [
        ("", asked(false, false)),
        ("loopback", asked(false, false)),
        ("strict", asked(true, false)),
        ("Peer_UID", asked(false, true)),
        ("loopback, strict,peer_uid", asked(true, true)),
    ] {
        assert_eq!(
            load([FAKE, ("OMNI_CONTROL_LOCALITY", words)]).unwrap().config.control_locality,
            locality,
            "{words}"
        );
    }
    let text = "[listen]\ncontrol_locality = ['peer_uid', 'strict']";
    assert_eq!(load_file(text, [FAKE]).unwrap().config.control_locality, asked(true, true));
}

#[test]
fn urls_with_passwords_come_through_whole() {
    let database = "postgresql://omni:p%40ss@db1:5432,db2:5432/omni?sslmode=require";
    let nats = "nats://token@one:4222, tls://two";
    let config = load([FAKE, ("DATABASE_URL", database), ("NATS_URL", nats)]).unwrap().config;
    assert_eq!(config.database_url.unwrap().expose_secret(), database);
    assert_eq!(config.nats_url.unwrap().expose_secret(), nats);
}

/// A setting that is documented but changes nothing would be a lie.
#[test]
fn every_setting_is_obeyed() {
    let others = [
        ("OMNI_HTTP_ADDR", "127.0.0.1:7000"),
        ("OMNI_CONTROL_ADDR", "127.0.0.1:7001"),
        ("OMNI_CONTROL_LOCALITY", "strict"),
        ("OMNI_API_URL", "http://127.0.0.1:7001"),
        ("OMNI_PUBLIC_URL", "http://localhost:7000"),
        ("OMNI_TRUSTED_PROXIES", "10.0.0.1"),
        ("OMNI_DATA_DIR", "elsewhere"),
        ("OMNI_SECRET_KEY_FILE", "elsewhere/key"),
        ("DATABASE_URL", "postgres://db/omni"),
        ("OMNI_DATABASE_CONNECTIONS", "21"),
        ("NATS_URL", "nats://bus"),
        ("OMNI_MAX_UPLOAD_MB", "99"),
        ("OMNI_QDRANT_URL", "http://qdrant:6333"),
        ("OMNI_QDRANT_API_KEY", "other"),
        ("OMNI_AUTH_MODE", "oidc"),
        ("OMNI_FAKE_USER", "ada@example.com"),
        ("OMNI_OIDC_ISSUER", "https://other.example.com"),
        ("OMNI_OIDC_CLIENT_ID", "other"),
        ("OMNI_OIDC_CLIENT_SECRET", "other"),
        ("OMNI_OIDC_EMAILS", "trusted"),
        ("OMNI_OMNIADMINS", "ada@example.com"),
        ("OMNI_SESSION_HOURS", "13"),
        ("OMNI_SESSION_IDLE_MINUTES", "121"),
        ("OMNI_AUDIT_RETENTION_DAYS", "366"),
        ("OMNI_EGRESS_ALLOW", "127.0.0.1:1"),
        ("OMNI_MODEL_FIRST_BYTE_TIMEOUT", "61"),
        ("OMNI_MODEL_IDLE_TIMEOUT", "61"),
        ("OMNI_MODEL_TOTAL_TIMEOUT", "601"),
        ("OMNI_CHANNEL_START_DELAY", "2001"),
        ("OMNI_CHANNEL_CONNECTIONS", "6"),
        ("OMNI_CHANNEL_HEALTH_TIMEOUT", "30001"),
        ("LOG_LEVEL", "debug"),
        ("LOG_FORMAT", "json"),
        ("OMNI_SHUTDOWN_GRACE", "11"),
    ];
    let report = load([FAKE]).unwrap().redacted_report().to_owned();
    let documented: Vec<_> = report.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(documented, others.map(|(variable, _)| variable));

    // Each mode ignores what belongs to the other, so a setting has to count in one of them.
    let in_fake_mode = BTreeMap::from([FAKE]).into_iter().chain(OIDC.into_iter().take(3)).collect::<BTreeMap<_, _>>();
    let in_oidc_mode = BTreeMap::from(OIDC);
    for (variable, other) in others {
        let counts = [&in_fake_mode, &in_oidc_mode].into_iter().any(|variables| {
            let mut changed = variables.clone();
            changed.insert(variable, other);
            everything(variables) != everything(&changed)
        });
        assert!(counts, "{variable}");
    }
}

/// The configuration with its secrets, to compare it with another.
fn everything(variables: &BTreeMap<&str, &str>) -> Option<String> {
    let config = Config::load(None, variables).ok()?.config;
    let client_secret = match &config.auth {
        Auth::Oidc { client_secret, .. } => Some(client_secret),
        Auth::Fake { .. } => None,
    };
    let secrets = [config.database_url.as_ref(), config.nats_url.as_ref(), client_secret];
    Some(format!("{config:?} {:?}", secrets.map(|secret| secret.map(ExposeSecret::expose_secret))))
}

#[test]
fn a_variable_that_nobody_reads_is_a_warning() {
    let quiet =
        ["OMNI_TEST_DATABASE_URL", "OMNI_BENCH_SECONDS", "OMNI_CI_JOBS", "OMNI_CACHE_DIR", "OMNI_API", "OMNIVORE"];
    let mut variables = environment([FAKE, ("OMNI_HTTP_ADR", "x"), ("OMNI_API_X", "x"), ("HOME", "/root")]);
    variables.extend(quiet.map(|name| (name.to_owned(), "x".to_owned())));
    let warnings = Config::load(None, &variables).unwrap().warnings;
    let texts: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "OMNI_API_X in the environment is not a setting; did you mean OMNI_API_URL?",
            "OMNI_HTTP_ADR in the environment is not a setting; did you mean OMNI_HTTP_ADDR?",
        ]
    );
}

#[test]
fn the_process_gives_nothing_that_is_not_ours() {
    let environment = process_environment();
    assert_eq!(environment.get("PATH"), None);
    assert!(!environment.names().iter().any(|name| name == "PATH"));
}

proptest! {
    #[test]
    fn a_number_is_taken_within_its_bounds_and_only_there(number in 0_u64..2_000) {
        let loaded = load([FAKE, ("OMNI_DATABASE_CONNECTIONS", &number.to_string())]);
        prop_assert_eq!(loaded.is_ok(), (1..=1_000).contains(&number));
        if let Ok(loaded) = loaded {
            prop_assert_eq!(u64::try_from(loaded.config.database_connections).unwrap(), number);
        }
    }

    /// Where a value stands makes no difference to what it means, or to whether it is refused.
    #[test]
    fn the_file_and_the_environment_mean_the_same(value in "[ -~]{0,20}|[a-z]{1,5}@[a-z]{1,5}|127.0.0.1:[0-9]{1,6}") {
        for (variable, path) in VARIABLES {
            let (section, key) = path.split_once('.').unwrap();
            let text = format!("[{section}]\n{key} = {}", toml_text(&value));
            let file = load_file(&text, OIDC.map(|(name, value)| (name, if name == variable { "" } else { value })));
            let mut variables: BTreeMap<_, _> = OIDC.into_iter().collect();
            variables.insert(variable, &value);
            let environment = Config::load(None, &variables);
            prop_assert_eq!(
                file.map(|loaded| format!("{:?}", loaded.config)).ok(),
                environment.map(|loaded| format!("{:?}", loaded.config)).ok(),
            );
        }
    }
}

const OIDC: [(&str, &str); 4] = [
    ("OMNI_OIDC_ISSUER", "https://accounts.example.com"),
    ("OMNI_OIDC_CLIENT_ID", "omni"),
    ("OMNI_OIDC_CLIENT_SECRET", "s"),
    ("OMNI_PUBLIC_URL", "https://omni.example.com"),
];

const VARIABLES: [(&str, &str); 9] = [
    ("OMNI_HTTP_ADDR", "listen.http_addr"),
    ("OMNI_CONTROL_ADDR", "listen.control_addr"),
    ("OMNI_DATA_DIR", "storage.data_dir"),
    ("OMNI_DATABASE_CONNECTIONS", "storage.database_connections"),
    ("OMNI_OIDC_ISSUER", "auth.oidc_issuer"),
    ("OMNI_OMNIADMINS", "auth.omniadmins"),
    ("OMNI_FAKE_USER", "auth.fake_user"),
    ("LOG_LEVEL", "process.log_level"),
    ("NATS_URL", "storage.nats_url"),
];

fn toml_text(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
