//! Taking in a gift.
pub(crate) mod columns;
pub(crate) mod edit;
mod giver;
pub(crate) mod history;
mod post;
pub mod promote;
pub mod row;
mod store;
pub(crate) mod trail;

/// What is learned of a workspace
#[derive(Debug, Default)]
pub struct Memory {
    /// Whether its rows keep a trail
    pub(crate) has_trail: std::cell::Cell<bool>,
    /// Whether it has rows at all, once that is known
    pub(crate) has_rows: std::cell::Cell<Option<bool>>,
}
