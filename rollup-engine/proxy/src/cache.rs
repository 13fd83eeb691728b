//! Answers to reads, kept for some seconds, so that a page that polls costs Twenty nothing.
//!
//! An entry belongs to one token, known by its hash, or to the service itself: Twenty decides by the token what may be seen. Any write that passes through clears
//! everything, since a change of one record shows in others (rollups, relations), and a read that was under way during
//! the write is not kept either. What is changed elsewhere shows when the entry's time is over.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use ports::Timestamp;

use crate::callers::TokenHash;

/// Most answers kept
const MAX_ENTRIES: usize = 200;

/// Answers to reads
#[derive(Debug, Default)]
pub struct Cache {
    entries: RefCell<Vec<Entry>>,
    writes: Cell<u64>,
    hits: Cell<u64>,
    misses: Cell<u64>,
}

struct Entry {
    token: Option<TokenHash>,
    path: String,
    answer: Rc<Vec<u8>>,
    until: Timestamp,
}

// Tokens and donors never reach a log.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("until", &self.until).finish_non_exhaustive()
    }
}

/// When a read began, among the writes
#[derive(Clone, Copy, Debug)]
pub struct Mark(u64);

impl Cache {
    /// What was answered to this token for this path, if that is not too old
    pub fn find(&self, token: Option<TokenHash>, path: &str, now: Timestamp) -> Option<Rc<Vec<u8>>> {
        let entries = self.entries.borrow();
        let found = entries.iter().find(|entry| entry.path == path && entry.token == token && entry.until > now);
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.set(counter.get() + 1);
        found.map(|entry| Rc::clone(&entry.answer))
    }

    /// To be taken before a read begins
    pub fn mark(&self) -> Mark {
        Mark(self.writes.get())
    }

    /// Keeps an answer, unless something was written since the read began.
    pub fn keep(
        &self,
        mark: Mark,
        token: Option<TokenHash>,
        path: &str,
        answer: &Rc<Vec<u8>>,
        now: Timestamp,
        lasts: Duration,
    ) {
        if mark.0 != self.writes.get() || lasts.is_zero() {
            return;
        }
        let mut entries = self.entries.borrow_mut();
        entries.retain(|entry| entry.until > now && (entry.path != path || entry.token != token));
        if entries.len() >= MAX_ENTRIES {
            entries.remove(0);
        }
        let entry = Entry { token, path: path.into(), answer: Rc::clone(answer), until: now + lasts };
        entries.push(entry);
    }

    /// Notes that something is being written, or has been.
    pub fn wrote(&self) {
        self.writes.set(self.writes.get() + 1);
        self.entries.borrow_mut().clear();
    }

    /// Reads answered from here, and those that were not
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.hits.get(), self.misses.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn keep(cache: &Cache, mark: Mark, path: &str) {
        cache.keep(mark, Some(TokenHash::of("a")), path, &Rc::new(b"1".to_vec()), at(0), Duration::from_secs(2));
    }

    #[test]
    fn an_answer_is_for_its_token_and_its_time() {
        let cache = Cache::default();
        keep(&cache, cache.mark(), "/gifts");
        assert_eq!(cache.find(Some(TokenHash::of("a")), "/gifts", at(1_999)), Some(Rc::new(b"1".to_vec())));
        assert_eq!(cache.find(Some(TokenHash::of("b")), "/gifts", at(0)), None);
        assert_eq!(cache.find(Some(TokenHash::of("a")), "/gifts?limit=1", at(0)), None);
        assert_eq!(cache.find(Some(TokenHash::of("a")), "/gifts", at(2_000)), None);
        assert_eq!(cache.counts(), (1, 3));
    }

    #[test]
    fn write_clears_the_cache() {
        let cache = Cache::default();
        let before = cache.mark();
        keep(&cache, before, "/gifts");
        cache.wrote();
        assert_eq!(cache.find(Some(TokenHash::of("a")), "/gifts", at(0)), None);
        keep(&cache, before, "/gifts");
        assert_eq!(cache.find(Some(TokenHash::of("a")), "/gifts", at(0)), None);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let cache = Cache::default();
        for number in 0..1_000 {
            keep(&cache, cache.mark(), &number.to_string());
        }
        assert_eq!(cache.entries.borrow().len(), MAX_ENTRIES);
    }
}
