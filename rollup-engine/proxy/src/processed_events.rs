//! Events of a payment provider that this process carried out, while their batch is not taken in as a whole.
//!
//! `GoCardless` sends a batch again as a whole until all of it was taken in. Carrying out an event twice does no harm, but
//! it costs calls: a batch that is larger than what one request has time for would begin with the same events each time,
//! and never end. What is forgotten here, or known to another process only, is carried out once more.

use std::cell::RefCell;

/// Most events that are remembered
const MAX_EVENTS: usize = 2_000;

/// Ids of events
#[derive(Debug, Default)]
pub struct ProcessedEvents(RefCell<Vec<String>>);

impl ProcessedEvents {
    /// Whether the event was carried out
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.0.borrow().iter().any(|known| known == id)
    }

    /// Forgets it.
    pub fn forget(&self, id: &str) {
        self.0.borrow_mut().retain(|known| known != id);
    }

    /// Notes that it was; one without an id is not told from others.
    pub fn note(&self, id: &str) {
        if id.is_empty() || self.has(id) {
            return;
        }
        let mut ids = self.0.borrow_mut();
        if ids.len() >= MAX_EVENTS {
            ids.remove(0);
        }
        ids.push(id.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latest_events_are_known() {
        let done = ProcessedEvents::default();
        for number in 0..=MAX_EVENTS {
            done.note(&number.to_string());
            done.note("");
        }
        assert!(!done.has("0") && done.has("1") && done.has(&MAX_EVENTS.to_string()) && !done.has(""));
        done.forget("1");
        assert!(!done.has("1") && done.has("2"));
    }
}
