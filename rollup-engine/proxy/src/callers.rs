//! Which callers' tokens Twenty has accepted or refused, as far as it was seen a moment ago.
//!
//! A token costs the budget only once it is proven. Nothing is asked just to prove it: the first call of its first request
//! is the proof, made from the allowance of unproven tokens, and other requests with the same token wait for it. Tokens are
//! known by their hash, so that memory holds none of them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use ports::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

/// How long an accepted or refused token is remembered
const TOKEN_STATUS_TTL: Duration = Duration::from_mins(1);

/// A token by its SHA-256
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// Of a token
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

// A hash stands for its token, and stays out of logs like it.
impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash(…)")
    }
}

/// How a token stands with Twenty
#[derive(Clone, Debug, PartialEq)]
pub enum TokenStatus {
    /// Twenty has not been seen to accept or refuse it
    Unproven,
    /// Another request's call with it is under way, and will tell
    BeingProven,
    /// Twenty accepted it
    Proven,
    /// Twenty refused it, with this answer
    Refused(Error),
}

/// How tokens stand
#[derive(Debug, Default)]
pub struct Callers {
    statuses: RefCell<BTreeMap<TokenHash, (TokenStatus, Timestamp)>>,
}

impl Callers {
    /// How a token stands
    #[must_use]
    pub fn status(&self, token: TokenHash, now: Timestamp) -> TokenStatus {
        match self.statuses.borrow().get(&token) {
            Some((status, until)) if *until > now => status.clone(),
            _ => TokenStatus::Unproven,
        }
    }

    /// Begins the proof of a token, which will have ended at `until`.
    #[must_use]
    pub fn begin_proof(&self, token: TokenHash, now: Timestamp, until: Timestamp) -> Proof<'_> {
        self.set(token, TokenStatus::BeingProven, now, until);
        Proof { callers: self, token }
    }

    /// Notes that Twenty answered a call with this token as it answers its users.
    pub fn accepted(&self, token: TokenHash, now: Timestamp) {
        self.set(token, TokenStatus::Proven, now, now + TOKEN_STATUS_TTL);
    }

    /// Notes that Twenty refused this token.
    pub fn refused(&self, token: TokenHash, failure: Error, now: Timestamp) {
        self.set(token, TokenStatus::Refused(failure), now, now + TOKEN_STATUS_TTL);
    }

    /// Each token that is kept has cost a call within the last minute or so, which bounds their number.
    fn set(&self, token: TokenHash, status: TokenStatus, now: Timestamp, until: Timestamp) {
        let mut statuses = self.statuses.borrow_mut();
        if !statuses.contains_key(&token) {
            statuses.retain(|_, (_, until)| *until > now);
        }
        statuses.insert(token, (status, until));
    }
}

/// The proof of a token; where it ends without an answer, the next request begins another
#[derive(Debug)]
pub struct Proof<'a> {
    callers: &'a Callers,
    token: TokenHash,
}

impl Drop for Proof<'_> {
    fn drop(&mut self) {
        let mut statuses = self.callers.statuses.borrow_mut();
        if matches!(statuses.get(&self.token), Some((TokenStatus::BeingProven, _))) {
            statuses.remove(&self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    /// A proof without an answer leaves the token unproven; an answer outlives the proof, for a minute.
    #[test]
    fn status_follows_answers() {
        let (callers, token) = (Callers::default(), TokenHash::of("t"));
        let proof = callers.begin_proof(token, at(0), at(25));
        assert_eq!(callers.status(token, at(1)), TokenStatus::BeingProven);
        assert_eq!(callers.status(token, at(25)), TokenStatus::Unproven, "a runtime dropped the request silently");
        drop(proof);
        assert_eq!(callers.status(token, at(1)), TokenStatus::Unproven);

        let proof = callers.begin_proof(token, at(2), at(25));
        callers.accepted(token, at(3));
        drop(proof);
        assert_eq!(callers.status(token, at(62)), TokenStatus::Proven);
        assert_eq!(callers.status(token, at(63)), TokenStatus::Unproven);

        let failure = Error::from_answer(401, b"", None);
        callers.refused(token, failure.clone(), at(70));
        assert_eq!(callers.status(token, at(71)), TokenStatus::Refused(failure));
        assert_eq!(callers.status(TokenHash::of("u"), at(71)), TokenStatus::Unproven);
    }

    /// Memory is bounded by what was called within a minute.
    #[test]
    fn expired_statuses_are_swept() {
        let callers = Callers::default();
        for second in 0..1_000 {
            let token = TokenHash::of(&second.to_string());
            drop(callers.begin_proof(token, at(second), at(second + 5)));
            callers.refused(token, Error::from_answer(401, b"", None), at(second));
        }
        assert!(callers.statuses.borrow().len() <= 61);
    }
}
