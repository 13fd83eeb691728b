//! Webhooks end to end: signed bodies through the whole service onto a Twenty in memory, with everything that can break.

#[cfg(test)]
mod orders;
mod parsers;
#[cfg(test)]
mod providers;
#[cfg(test)]
#[path = "../workspace/mod.rs"]
mod workspace;
#[cfg(test)]
mod world;
