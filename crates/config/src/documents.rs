use crate::ConfigError;
use crate::setting::{Form, Section, Setting, Unset};
use crate::table::{READ_BY_TOOLS, SETTINGS};

/// `docs/configuration.md`: every setting, what it takes, its default and what it means.
#[must_use]
pub fn reference_markdown() -> String {
    let chapters: String = sections().map(chapter).collect();
    let tools: Vec<String> = READ_BY_TOOLS.iter().map(|name| format!("`{name}`")).collect();
    format!(
        "\
<!-- Made by `cargo xtask gen` from the table in crates/config; edit that, not this. -->
# Configuration

`omni-api` and `gateway` read the environment and, with `--config omni.toml`, a file. The environment wins over the file,
the file over the default. Values are trimmed, and an empty one counts as not set. In the file a setting stands in the
section that its chapter names; [omni.example.toml](../omni.example.toml) has them all. Whoever puts a secret into the
file keeps it from other users (`chmod 600 omni.toml`).

`--check-config` prints what holds and where it came from, without secrets, and starts nothing. A configuration that
cannot be used is reported as a whole, not one problem at a time, and ends the program with exit code {}; wrong arguments
end it with 64. A key of the file that is none of these is an error; a variable of the environment that begins with
`OMNI_` and is none of these is a warning.
{chapters}
## Read by the project's own tools

{} are for `cargo xtask`, the tests and the benchmarks.
The programs ignore them, and do not warn about them.
",
        ConfigError::EXIT_CODE,
        tools.join(", "),
    )
}

fn chapter(section: &Section) -> String {
    let rows: String = settings_of(section).map(row).collect();
    format!(
        "\n## {}: `[{}]`\n\n| variable | in the file | takes | default | meaning |\n|---|---|---|---|---|\n{rows}",
        section.about, section.name
    )
}

fn row(setting: &Setting) -> String {
    let default = match setting.unset {
        Unset::Default(value) => format!("`{value}`"),
        Unset::Otherwise { what, .. } => what.to_owned(),
    };
    let secret = if setting.secret { " Secret: never shown." } else { "" };
    format!(
        "| `{}` | `{}` | {} | {default} | {}{secret} |\n",
        setting.variable,
        setting.key(),
        setting.form,
        setting.meaning
    )
}

/// `omni.example.toml`: every setting, commented out, with its default or an example.
#[must_use]
pub fn sample_toml() -> String {
    let sections: String = sections().map(sample_section).collect();
    format!(
        "\
# A file for --config, with everything that can be set. What is commented out shows the default or, where there is none,
# an example. The environment wins over this file. docs/configuration.md says more.
#
# Made by `cargo xtask gen` from the table in crates/config; edit that, not this.
{sections}"
    )
}

fn sample_section(section: &Section) -> String {
    let entries: String = settings_of(section).map(sample_entry).collect();
    format!("\n# {}\n[{}]\n{entries}", section.about, section.name)
}

fn sample_entry(setting: &Setting) -> String {
    let quoted = |text: &str| format!("\"{text}\"");
    let value = match setting.form {
        Form::Text(_) => quoted(setting.example()),
        Form::List(_) => {
            let items: Vec<String> = setting.example().split(',').map(|item| quoted(item.trim())).collect();
            format!("[{}]", items.join(", "))
        }
        Form::Number { .. } => setting.example().to_owned(),
    };
    format!("\n# {}\n#{} = {value}\n", setting.meaning, setting.key())
}

/// The sections, each once: the table lists the settings of a section together.
fn sections() -> impl Iterator<Item = &'static Section> {
    let mut last = "";
    SETTINGS.iter().map(|setting| setting.section).filter(move |section| {
        let first = section.name != last;
        last = section.name;
        first
    })
}

fn settings_of(section: &Section) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().copied().filter(move |setting| setting.section.name == section.name)
}
