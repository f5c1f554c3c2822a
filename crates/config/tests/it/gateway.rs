use omni_config::{GatewayConfig, LogFormat, Problem};

use crate::{environment, file};

#[test]
fn the_gateway_needs_no_sign_in() {
    let loaded = GatewayConfig::load(None, &environment([])).unwrap();
    assert_eq!(loaded.config.api_url.as_str(), "http://127.0.0.1:8882/");
    assert_eq!((loaded.config.log_level.as_str(), loaded.config.log_format), ("info", LogFormat::Auto));
    assert!(loaded.config.data_dir.logs().ends_with("logs"));
    assert!(loaded.warnings.is_empty());
}

#[test]
fn it_reads_its_part_of_the_common_file() {
    let file = file(
        "[listen]\napi_url = 'http://127.0.0.1:9999'\n[auth]\nauth_mode = 'nonsense'\n[process]\nlog_level = 'debug'",
    );
    let loaded = GatewayConfig::load(Some(file.path()), &environment([("LOG_FORMAT", "json")])).unwrap();
    assert_eq!(loaded.config.api_url.port(), Some(9_999));
    assert_eq!((loaded.config.log_level.as_str(), loaded.config.log_format), ("debug", LogFormat::Json));
    let names: Vec<_> = loaded.redacted_report().lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["OMNI_API_URL", "OMNI_DATA_DIR", "LOG_LEVEL", "LOG_FORMAT"]);
}

#[test]
fn every_wrong_value_is_named_at_once() {
    let wrong = environment([("OMNI_API_URL", "ftp://somewhere"), ("LOG_LEVEL", "loud")]);
    let error = GatewayConfig::load(None, &wrong).unwrap_err();
    let names: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| match problem {
            Problem::Value { variable, .. } => *variable,
            other => other.code(),
        })
        .collect();
    assert_eq!(names, ["OMNI_API_URL", "LOG_LEVEL"]);
}
