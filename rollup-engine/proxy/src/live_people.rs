//! People who were seen live a moment ago, so that gifts that name the same person one after the other cost one look.
//!
//! Twenty takes a gift for a person in the trash without a word, so the service looks first. Somebody may go to the trash
//! right after that look in any case; here that may be up to [`LIVE_TIME`] after it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;

use ports::Timestamp;

use crate::callers::TokenHash;

/// How long somebody who was seen live counts as live
const LIVE_TIME: Duration = Duration::from_mins(1);
/// Most people remembered
const MAX_PEOPLE: usize = 1_000;

/// People who were seen live, each by the token that saw them
#[derive(Debug, Default)]
pub(crate) struct LivePeople(RefCell<VecDeque<Sighting>>);

struct Sighting {
    token: Option<TokenHash>,
    person: String,
    until: Timestamp,
}

// Tokens and donors never reach a log.
impl std::fmt::Debug for Sighting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sighting").field("until", &self.until).finish_non_exhaustive()
    }
}

impl LivePeople {
    /// Whether this token saw the person live a moment ago
    pub(crate) fn has(&self, token: Option<TokenHash>, person: &str, now: Timestamp) -> bool {
        self.0.borrow().iter().any(|seen| seen.person == person && seen.token == token && seen.until > now)
    }

    /// Notes that this token has seen the person live.
    pub(crate) fn saw(&self, token: Option<TokenHash>, person: &str, now: Timestamp) {
        let mut people = self.0.borrow_mut();
        people.retain(|seen| seen.until > now);
        if people.len() == MAX_PEOPLE {
            people.pop_front();
        }
        people.push_back(Sighting { token, person: person.to_owned(), until: now + LIVE_TIME });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembered_for_a_minute_and_by_token() {
        let people = LivePeople::default();
        let seconds = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        people.saw(None, "ann", seconds(0));
        assert!(people.has(None, "ann", seconds(59)));
        assert!(!people.has(None, "ann", seconds(60)));
        assert!(!people.has(None, "bob", seconds(1)));
        assert!(!people.has(Some(TokenHash::of("key")), "ann", seconds(1)));
    }

    #[test]
    fn as_many_as_there_is_room_for() {
        let people = LivePeople::default();
        let now = Timestamp::from_millis(0);
        for number in 0..=MAX_PEOPLE {
            people.saw(None, &number.to_string(), now);
        }
        assert!(!people.has(None, "0", now));
        assert!(people.has(None, "1", now) && people.has(None, &MAX_PEOPLE.to_string(), now));
    }
}
