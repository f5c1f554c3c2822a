#![cfg(test)]
//! The commands as a person runs them, in a small workspace of stand-ins that compile in a moment.

mod setting;
mod test_plane;
mod testing;
mod up;
