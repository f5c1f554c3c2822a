#![cfg(test)]
//! Real files through real child processes: what is read, what is refused, and what a child cannot do.

mod archives;
mod chunking;
mod confinement;
mod formats;
mod hostile;
mod ocr;
mod setting;
mod web;
