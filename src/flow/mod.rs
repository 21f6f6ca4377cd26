//! The order of things: the only code that calls one stage after another.
//!
//! In: what the user wants, as values. Out: values, and documents written to what it is handed.
//! No terminal, no configuration.

pub mod pack;
pub mod tokens;
pub mod unpack;
