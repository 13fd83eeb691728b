//! The definition language: what a workspace says about its totals.

pub mod model;
