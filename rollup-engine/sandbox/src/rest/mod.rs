//! The record endpoints of the REST API.
//!
//! A request is first read into a plan (`plan`): what can be refused there (paths, syntax, unknown objects) costs the caller
//! no token. Only then is it charged, checked against the schema and the role, and carried out (`run`).

mod plan;
mod records;
mod run;

pub(crate) use plan::plan;
pub(crate) use run::{batch, query, run};
