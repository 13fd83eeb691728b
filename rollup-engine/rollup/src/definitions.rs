//! Definitions: which totals a parent carries, from which children.
//!
//! The shape is the one that existing workspaces use, so that a configuration can be moved over unchanged. A definition
//! is parsed and validated once; after that nothing in it can be wrong but what only the workspace can tell (whether it
//! has such objects and fields).

mod model;
mod order;
pub(crate) mod parse;
mod values;

pub use model::*;
pub use order::dependencies;
pub(crate) use parse::{kind_of, shown};
pub use parse::{parse, parse_one};
pub(crate) use values::{FieldKind, NoValue};
