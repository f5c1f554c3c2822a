use std::fmt;

/// A group of settings: a table of the file, a chapter of the reference.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

/// One setting. Only [`table`](crate::table) makes them, and reading takes nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) variable: &'static str,
    pub(crate) section: &'static Section,
    pub(crate) form: Form,
    pub(crate) unset: Unset,
    pub(crate) secret: bool,
    pub(crate) meaning: &'static str,
}

/// What a value looks like.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// A text, and what it must be.
    Text(&'static str),
    /// Texts separated by commas, in the file also an array, and what each must be.
    List(&'static str),
    /// A whole number of `unit` within bounds, both included.
    Number { unit: &'static str, least: u64, most: u64 },
}

/// What holds when nobody sets it.
#[derive(Clone, Copy)]
pub(crate) enum Unset {
    /// This value.
    Default(&'static str),
    /// Something that is no fixed value; the sample file shows an example instead.
    Otherwise { what: &'static str, example: &'static str },
}

impl Section {
    pub(crate) const fn text(&'static self, variable: &'static str, expected: &'static str) -> Setting {
        self.setting(variable, Form::Text(expected))
    }

    pub(crate) const fn list(&'static self, variable: &'static str, expected: &'static str) -> Setting {
        self.setting(variable, Form::List(expected))
    }

    pub(crate) const fn number(
        &'static self,
        variable: &'static str,
        unit: &'static str,
        least: u64,
        most: u64,
    ) -> Setting {
        self.setting(variable, Form::Number { unit, least, most })
    }

    const fn setting(&'static self, variable: &'static str, form: Form) -> Setting {
        Setting { variable, section: self, form, unset: Unset::Default(""), secret: false, meaning: "" }
    }
}

impl Setting {
    pub(crate) const fn default(self, value: &'static str) -> Self {
        Self { unset: Unset::Default(value), ..self }
    }

    pub(crate) const fn otherwise(self, what: &'static str, example: &'static str) -> Self {
        Self { unset: Unset::Otherwise { what, example }, ..self }
    }

    pub(crate) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    pub(crate) const fn means(self, meaning: &'static str) -> Self {
        Self { meaning, ..self }
    }

    /// The name inside its section of the file: the variable's, in lower case and without the prefix.
    pub(crate) fn key(&self) -> String {
        self.variable.strip_prefix(PREFIX).unwrap_or(self.variable).to_ascii_lowercase()
    }

    /// The name in the file, section included.
    pub(crate) fn path(&self) -> String {
        format!("{}.{}", self.section.name, self.key())
    }

    /// What the documents show: the default, or an example where there is none.
    pub(crate) fn example(&self) -> &'static str {
        match self.unset {
            Unset::Default(value) => value,
            Unset::Otherwise { example, .. } => example,
        }
    }
}

/// What the names of Omni's own variables begin with.
pub(crate) const PREFIX: &str = "OMNI_";

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(expected) => f.write_str(expected),
            Self::List(expected) => write!(f, "{expected}, separated by commas"),
            Self::Number { unit, least, most } => write!(f, "a whole number of {unit} from {least} to {most}"),
        }
    }
}
