//! Webhooks end to end: signed bodies through the whole service onto a Twenty in memory, with everything that can break.

#[cfg(test)]
#[cfg(test)]
mod events;
#[cfg(test)]
mod givers;
#[cfg(test)]
mod orders;
mod parsers;
#[cfg(test)]
mod providers;
