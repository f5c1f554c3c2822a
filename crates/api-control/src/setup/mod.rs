mod status;

pub(crate) use status::Status;
