//! Taking in a gift.
pub(crate) mod columns;
pub(crate) mod edit;
pub(crate) mod history;
pub mod row;
pub(crate) mod trail;
