//! Every setting there is. What stands here is read, documented and put into the sample file; nothing else is.

use crate::setting::{Section, Setting};

macro_rules! settings {
    ($($name:ident = $setting:expr;)*) => {
        $(pub(crate) static $name: Setting = $setting;)*
        /// Every setting, in the order of the documents.
        pub(crate) static SETTINGS: &[&Setting] = &[$(&$name),*];
    };
}

static LISTEN: Section = Section { name: "listen", about: "Where the programs listen and are found" };
static STORAGE: Section = Section { name: "storage", about: "What is kept, and where" };
static AUTH: Section = Section { name: "auth", about: "Who may sign in" };
static OUTGOING: Section = Section { name: "outgoing", about: "What Omni asks of other machines" };
static CHANNELS: Section = Section { name: "channels", about: "How channels are started" };
static PROCESS: Section = Section { name: "process", about: "Logs and the end of the process" };

settings! {
    HTTP_ADDR = LISTEN
        .text("OMNI_HTTP_ADDR", "an IP address and a port, such as 127.0.0.1:8000")
        .default("127.0.0.1:8000")
        .means("Where `omni-api` serves the workspace and public API and the console. TLS belongs to a reverse proxy.");
    CONTROL_ADDR = LISTEN
        .text("OMNI_CONTROL_ADDR", "a loopback address and a port, such as 127.0.0.1:8882, other than OMNI_HTTP_ADDR")
        .default("127.0.0.1:8882")
        .means("Where `omni-api` serves the control plane and `/metrics`, to this machine only.");
    CONTROL_LOCALITY = LISTEN
        .list("OMNI_CONTROL_LOCALITY", "`loopback`, `strict` or `peer_uid`")
        .default("loopback")
        .means(
            "Whom the control plane answers. `loopback`: programs on this machine, and no page of another site; this always \
             holds. `strict`: besides, nothing that a proxy has forwarded. `peer_uid`: besides, only programs of the account \
             that runs `omni-api` and of root; Linux only.",
        );
    API_URL = LISTEN
        .text("OMNI_API_URL", "an http or https URL without credentials, query and fragment")
        .default("http://127.0.0.1:8882")
        .means("Where the gateway finds the control plane.");
    PUBLIC_URL = LISTEN
        .text("OMNI_PUBLIC_URL", "an http or https URL of nothing but a host, such as https://omni.example.com")
        .otherwise("none", "https://omni.example.com")
        .means("What people type to reach Omni, and where the identity provider sends them back; OIDC needs it.");

    TRUSTED_PROXIES = LISTEN
        .list("OMNI_TRUSTED_PROXIES", "addresses or networks")
        .otherwise("none", "127.0.0.1, 10.0.0.0/8")
        .means(
            "The reverse proxies in front of `omni-api`: theirs is the word on where a request comes from, in \
             `X-Forwarded-For`. Sessions, the audit trail and the limits on wrong guesses go by it.",
        );

    DATA_DIR = STORAGE
        .text("OMNI_DATA_DIR", "a folder with a name, not `.`, `..` or `/`")
        .default("./data")
        .means("Everything that is kept: `pg`, `nats`, `blobs`, `auth`, `media` and `keys`. The folder `logs` is beside it.");
    SECRET_KEY_FILE = STORAGE
        .text("OMNI_SECRET_KEY_FILE", "the path of a file")
        .otherwise("`keys/master.key` in the data folder", "./data/keys/master.key")
        .means("The key that seals secrets at rest, made at the first start with mode 0600. Without it they are lost.");
    DATABASE_URL = STORAGE
        .text("DATABASE_URL", "a postgres:// or postgresql:// URL")
        .otherwise("none: a private PostgreSQL in the data folder", "postgres://omni:password@db.example.com/omni")
        .secret()
        .means("A PostgreSQL that has pgvector.");
    DATABASE_CONNECTIONS = STORAGE
        .number("OMNI_DATABASE_CONNECTIONS", "connections", 1, 1_000)
        .default("20")
        .means("How many connections to PostgreSQL one process keeps open at most.");
    NATS_URL = STORAGE
        .text("NATS_URL", "nats:// or tls:// URLs, separated by commas")
        .otherwise("none: a private NATS in the data folder", "nats://omni:password@nats.example.com:4222")
        .secret()
        .means("A NATS server, or several of one cluster, with JetStream.");

    MAX_UPLOAD_MB = STORAGE
        .number("OMNI_MAX_UPLOAD_MB", "megabytes", 1, 10_000)
        .default("100")
        .means("The largest file that can be uploaded; an app may set a lower limit of its own.");
    QDRANT_URL = STORAGE
        .text("OMNI_QDRANT_URL", "an http or https URL without credentials, query and fragment")
        .otherwise("none: vectors are kept in PostgreSQL", "http://127.0.0.1:6333")
        .means("A Qdrant server, for silos of the type `QDRANT`; OMNI_EGRESS_ALLOW must let its address through if it is private.");
    QDRANT_API_KEY = STORAGE
        .text("OMNI_QDRANT_API_KEY", "the key that the Qdrant server asks for")
        .otherwise("none", "the-key-of-the-server")
        .secret()
        .means("What proves to the Qdrant server that Omni may use it.");

    AUTH_MODE = AUTH
        .text("OMNI_AUTH_MODE", "`oidc` or `fake`")
        .otherwise("`oidc` if OMNI_OIDC_ISSUER is set, else the program refuses to start", "oidc")
        .means("`oidc`: an identity provider says who somebody is. `fake`: whoever connects is believed; this machine only.");
    FAKE_USER = AUTH
        .text("OMNI_FAKE_USER", "an e-mail address")
        .default("dev@example.com")
        .means("Who the `fake` mode signs in.");
    OIDC_ISSUER = AUTH
        .text("OMNI_OIDC_ISSUER", "the provider's http or https URL, without credentials, query and fragment")
        .otherwise("none", "https://accounts.example.com")
        .means("The identity provider, spelled exactly as it names itself in `issuer`.");
    OIDC_CLIENT_ID = AUTH
        .text("OMNI_OIDC_CLIENT_ID", "the id that the provider gave to Omni")
        .otherwise("none", "omni")
        .means("Who Omni is to the identity provider.");
    OIDC_CLIENT_SECRET = AUTH
        .text("OMNI_OIDC_CLIENT_SECRET", "the secret that the provider gave to Omni")
        .otherwise("none", "the-secret-of-the-client")
        .secret()
        .means("What proves it.");
    OIDC_EMAILS = AUTH
        .text("OMNI_OIDC_EMAILS", "`verified` or `trusted`")
        .default("verified")
        .means(
            "Which of the provider's e-mail addresses count as proven: those with `email_verified`, or all of them, for a \
             provider whose administrators alone set addresses.",
        );
    OMNIADMINS = AUTH
        .list("OMNI_OMNIADMINS", "e-mail addresses")
        .otherwise("nobody", "ada@example.com, grace@example.com")
        .means("Who outranks everybody in every app; upper and lower case are the same.");
    SESSION_HOURS = AUTH
        .number("OMNI_SESSION_HOURS", "hours", 1, 8_760)
        .default("12")
        .means("How long a session lasts after sign-in, however busy it is.");
    SESSION_IDLE_MINUTES = AUTH
        .number("OMNI_SESSION_IDLE_MINUTES", "minutes", 5, 525_600)
        .default("120")
        .means("How long a session lasts that nobody uses.");

    AUDIT_RETENTION_DAYS = AUTH
        .number("OMNI_AUDIT_RETENTION_DAYS", "days", 0, 36_500)
        .default("365")
        .means("How long the audit trail keeps what was done; 0 keeps it for ever.");

    EGRESS_ALLOW = OUTGOING
        .list("OMNI_EGRESS_ALLOW", "`host:port` or networks")
        .otherwise("nothing", "127.0.0.1:11434, 10.20.0.0/16")
        .means("Private addresses that outgoing requests may reach, such as a model server of one's own.");
    MODEL_FIRST_BYTE_TIMEOUT = OUTGOING
        .number("OMNI_MODEL_FIRST_BYTE_TIMEOUT", "seconds", 1, 3_600)
        .default("60")
        .means("How long a model may take until the first byte of its answer.");
    MODEL_IDLE_TIMEOUT = OUTGOING
        .number("OMNI_MODEL_IDLE_TIMEOUT", "seconds", 1, 3_600)
        .default("60")
        .means("How long a model may pause within its answer.");
    MODEL_TOTAL_TIMEOUT = OUTGOING
        .number("OMNI_MODEL_TOTAL_TIMEOUT", "seconds", 1, 86_400)
        .default("600")
        .means("How long a model may take for the whole answer.");

    CHANNEL_START_DELAY = CHANNELS
        .number("OMNI_CHANNEL_START_DELAY", "milliseconds", 0, 60_000)
        .default("2000")
        .means("The pause between the starts of two channels.");
    CHANNEL_CONNECTIONS = CHANNELS
        .number("OMNI_CHANNEL_CONNECTIONS", "instances", 1, 1_000)
        .default("5")
        .means("How many instances of channels connect at once at most.");
    CHANNEL_HEALTH_TIMEOUT = CHANNELS
        .number("OMNI_CHANNEL_HEALTH_TIMEOUT", "milliseconds", 1_000, 600_000)
        .default("30000")
        .means("How long a channel may take until it is healthy.");

    LOG_LEVEL = PROCESS
        .text("LOG_LEVEL", "off, error, warn, info, debug or trace, and for single parts `part=level`, with commas between")
        .default("info")
        .means("How much is logged, such as `info` or `info,omni_models=debug`.");
    LOG_FORMAT = PROCESS
        .text("LOG_FORMAT", "`auto`, `pretty` or `json`")
        .default("auto")
        .means("`pretty` is for people, `json` for machines, `auto` is `pretty` on a terminal and `json` elsewhere.");
    SHUTDOWN_GRACE = PROCESS
        .number("OMNI_SHUTDOWN_GRACE", "seconds", 1, 600)
        .default("10")
        .means("How long requests under way may go on once the process is asked to stop.");
}

/// Names that begin as Omni's do but are read by the project's own tools and tests, never by its programs. A name that
/// ends in `*` stands for all that begin so.
pub(crate) static READ_BY_TOOLS: &[&str] = &["OMNI_API", "OMNI_CACHE_DIR", "OMNI_BENCH_*", "OMNI_CI_*", "OMNI_TEST_*"];
