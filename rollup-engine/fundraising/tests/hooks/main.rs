//! Webhooks end to end: signed bodies through the whole service onto a Twenty in memory, with everything that can break.

mod orders;
mod parsers;
mod providers;
mod world;
