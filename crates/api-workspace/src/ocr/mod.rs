//! Text out of pictures.

mod extract;

pub(crate) use extract::Extract;
