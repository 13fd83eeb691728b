//! Gifts on their way through a Twenty in memory, with whatever can go wrong on it.

mod common;
mod doors;
mod once;
mod recorded;
mod review;
