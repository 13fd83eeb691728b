//! A request as it comes over a network, with the faults that were asked for.

use std::time::Duration;

use ports::{DEFAULT_MAX_RESPONSE_BYTES, Request, Response, Timestamp};

use crate::fault_rules::Kind;
use crate::faults::{refusal, shortened};
use crate::http::Target;
use crate::state::Sandbox;

/// What a caller over a network gets
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// An answer, after this time
    Answer {
        /// The answer
        response: Response,
        /// How long it is held back
        after: Duration,
    },
    /// The end of the connection
    Closed,
}

impl Sandbox {
    /// Answers a request as [`handle`](Self::handle) does, or lets it go wrong by the rules of `POST /__faults`. The calls
    /// that no real server has never go wrong.
    pub fn exchange(&mut self, request: &Request, now: Timestamp) -> Exchange {
        let is_own =
            matches!(Target::of(&request.url).segments().as_slice(), ["__faults" | "__sandbox" | "healthz", ..]);
        let rule = if is_own { None } else { self.fault_rules.strike(request) };
        let at_once = |response| Exchange::Answer { response, after: Duration::ZERO };
        let Some(rule) = rule else { return at_once(self.handle(request, now)) };
        match rule.fault {
            Kind::Status => {
                let mut response = refusal(rule.status.unwrap_or(500), request, self.settings().profile);
                if let Some(seconds) = rule.retry_after_seconds {
                    response.headers.retain(|(name, _)| name != "retry-after");
                    response.headers.push(("retry-after".into(), seconds.to_string()));
                }
                at_once(response)
            }
            Kind::Unreachable => Exchange::Closed,
            Kind::LostReply => {
                self.handle(request, now);
                Exchange::Closed
            }
            Kind::LargeReply => {
                let mut response = self.handle(request, now);
                // JSON takes blanks after it.
                let length = usize::try_from(DEFAULT_MAX_RESPONSE_BYTES).unwrap_or(usize::MAX);
                response.body.resize(length.saturating_add(1), b' ');
                at_once(response)
            }
            Kind::HalfBatch => {
                self.handle(&shortened(request.clone(), rule.rows.unwrap_or(0)), now);
                at_once(refusal(500, request, self.settings().profile))
            }
            Kind::Slow => {
                let after = Duration::from_millis(rule.ms.unwrap_or(0));
                Exchange::Answer { response: self.handle(request, now), after }
            }
        }
    }
}
