//! twostep packs a repository to fit a model: exact token counts, a well-formed document, a budget
//! that holds.
//!
//! The rooms, by floor; nothing imports from a floor above its own:
//!
//! - ground: [`path`], [`fs`], [`git`], [`tokens`], [`model`]: values and doors.
//! - stages: [`repo`] finds and reads files, [`pack`] chooses and writes them.
//! - flow: [`flow`] calls one stage after another.
//! - edges: [`cli`] knows arguments, environment and terminal.

#![warn(missing_docs)]

pub mod fs;
pub mod git;
pub mod model;
pub mod path;
pub mod tokens;

pub mod pack;
pub mod repo;

pub mod flow;

pub mod cli;
