//! Blobs on a real file system: whole or not at all, whatever happens in the middle.
#![cfg(test)]

mod folder;
mod full_disk;
mod garbage;
#[cfg(target_os = "linux")]
mod gate;
mod killed;
mod reading;
mod writing;
