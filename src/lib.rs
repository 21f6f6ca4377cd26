//! twostep packs a repository to fit a model, plans a change with one model, carries the plan out with
//! another, and lands what passes the checks.
//!
//! The rooms, by floor; nothing imports from a floor above its own:
//!
//! - ground: [`path`], [`fs`], [`process`], [`git`], [`text_cache`], [`tokens`], [`syntax`], [`secrets`], [`model`], [`alike`]:
//!   values and doors.
//! - stages: [`repo`] finds and reads files, [`history`] tells what changed, [`pack`] chooses and writes them, [`prompt`] holds our words,
//!   [`agent`] asks models, [`plan`] resolves what they answer, [`patch`] writes and reads differences, [`edit`] carries out
//!   edits that stand in an answer, [`scratch`] keeps their work
//!   apart and lands it, [`check`] and [`review`] say whether it is good, [`weakening`] whether that still means as much,
//!   [`schema`] whether JSON is as it was asked for, [`workflow`] which steps are done with all that.
//! - flow: [`flow`] calls one stage after another; [`run`] keeps what came of each.
//! - edges: [`cli`] knows arguments, environment and terminal.

#![warn(missing_docs)]

pub mod alike;
pub mod fs;
pub mod git;
pub mod model;
pub mod path;
pub mod process;
pub mod secrets;
pub mod syntax;
pub mod text_cache;
pub mod tokens;

pub mod agent;
pub mod check;
pub mod edit;
pub mod history;
pub mod pack;
pub mod patch;
pub mod plan;
pub mod prompt;
pub mod repo;
pub mod review;
pub mod schema;
pub mod scratch;
pub mod weakening;
pub mod workflow;

pub mod flow;
pub mod run;

pub mod cli;
