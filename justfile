# What one can do here. `just` is a convenience: every line also works typed out.

# List the recipes.
default:
    @just --list --unsorted

# Start everything: the data plane, omni-api, gateway. Ctrl-C stops it.
up *args:
    cargo xtask up {{ args }}

# Run every test, with a throw-away PostgreSQL and NATS.
test *args:
    cargo xtask test {{ args }}

# Run the benchmarks.
bench *args:
    cargo xtask bench {{ args }}

# Write the pages that are made from the code: OpenAPI documents, role matrix, settings.
gen:
    cargo xtask gen

# Compile everything, without running anything.
check:
    cargo check --workspace --all-targets

# Format the code.
fmt:
    cargo fmt --all

# Everything that a reviewer's machine would complain about.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Licences, banned crates and sources of the dependencies (needs cargo-deny).
deny:
    cargo deny check bans licenses sources

# What has to hold before a change lands.
ci:
    .ci/run

# The documentation of the code, in a browser.
doc:
    cargo doc --workspace --no-deps --open

# Remove the data of the embedded data plane. There is no way back.
[confirm("Remove ./data and ./logs, with everything that was ever stored?")]
reset:
    rm -rf data logs
