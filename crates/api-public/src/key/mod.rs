mod get;

pub(crate) use get::Get;

const SECTION: &str = "Key";
