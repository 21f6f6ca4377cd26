//! The order of things: the only code that calls one stage after another.
//!
//! In: what the user wants, as values. Out: values, and documents written to what it is handed.
//! No terminal, no configuration.

pub mod ask;
pub mod audit;
pub mod bench;
pub mod brief;
pub mod budget;
mod call;
pub mod checks;
mod choose;
pub mod clean;
pub mod consent;
pub mod conventions;
pub mod doctor;
pub mod drift;
pub mod edits;
mod examine;
pub mod exec;
pub mod execute;
mod glance;
pub mod groups;
pub mod history;
pub mod host;
pub mod land;
mod neighbours;
mod next;
pub mod pack;
mod patience;
pub mod plan;
pub mod plan_exec;
pub mod plan_file;
pub mod player;
pub mod rate;
pub mod redact;
pub mod references;
pub mod replay;
pub mod restore;
pub mod resume;
pub mod review;
pub mod revise;
pub mod rounds;
pub mod route;
pub mod sweep;
mod symbols;
pub mod tokens;
pub mod undo;
pub mod unpack;
pub mod verify;
pub mod workflow;
