//! What a request's head decides, before a byte of its body is read.
//!
//! A server reads the body only as far as it is told here, and counts it as what it is told here. So a stranger cannot
//! make the process hold anything: who brings no token where one is needed, or no signature, is answered at once.

use ports::Timestamp;

use crate::http::Inbound;
use crate::router::{Access, Route, RouteMatch};
use crate::settings::Settings;
use fundraising::provider::Provider;
use fundraising::signature::{self, SignatureError};

/// Largest body of a caller, in bytes
pub const MAX_BODY_BYTES: u32 = 100 * 1024;
/// Largest body of a payment provider's event, in bytes: `GoCardless` sends up to 250 events at once
pub const MAX_WEBHOOK_BODY_BYTES: u32 = 1024 * 1024;

/// Who shares the room for requests and bodies
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Callers with a token, and requests for a route that there is not
    Caller,
    /// Payment providers
    Webhook,
    /// Monitors of the process, which are answered without a wait
    Probe,
}

/// What a server is to do with a request, by its head
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose share it takes
    pub class: Class,
    /// How much of the body to read, in bytes; with more than that the body is too large. 0: it is not read
    pub max_bytes: u32,
    /// How long the body is to be, if the request says so
    pub declared_bytes: Option<u32>,
}

impl Head {
    /// Of a request that is answered at once
    pub const UNREAD: Self = Self { class: Class::Probe, max_bytes: 0, declared_bytes: None };

    pub(crate) fn of(request: &Inbound, found: &RouteMatch, has_token: bool, settings: &Settings) -> Self {
        let class = match found.access() {
            // Readiness is asked of Twenty.
            Access::Open if !found.is("GET", "/ready") => Class::Probe,
            Access::Webhook(_) => Class::Webhook,
            Access::Open | Access::Caller => Class::Caller,
        };
        let wanted = found.ids.is_ok()
            && found.route.is_some_and(Route::takes_body)
            && (has_token || !found.needs_token)
            && may_be_signed(request, found.access(), settings);
        let declared = declared_bytes(request);
        let too_large = declared.is_some_and(|length| length > max_bytes(found.access()).into());
        let max_bytes = if wanted && !too_large { max_bytes(found.access()) } else { 0 };
        Self { class, max_bytes, declared_bytes: declared.and_then(|length| length.try_into().ok()) }
    }
}

/// Whether a body is past what its route takes, by what was read of it or by its own word
pub(crate) fn is_too_large(request: &Inbound, access: Access) -> bool {
    let limit = u64::from(max_bytes(access));
    request.body.len() as u64 > limit || declared_bytes(request).is_some_and(|length| length > limit)
}

const fn max_bytes(access: Access) -> u32 {
    match access {
        Access::Webhook(_) => MAX_WEBHOOK_BODY_BYTES,
        Access::Caller | Access::Open => MAX_BODY_BYTES,
    }
}

fn declared_bytes(request: &Inbound) -> Option<u64> {
    let text = request.header("content-length")?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too long to be read is a length that is too long.
    is_number.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Whether the signature could fit: what is missing or unreadable is refused whatever the body says
fn may_be_signed(request: &Inbound, access: Access, settings: &Settings) -> bool {
    let outcome = match access {
        Access::Caller | Access::Open => return true,
        Access::Webhook(Provider::Stripe) => {
            let secret = settings.stripe_secret.as_deref();
            signature::stripe(request.header("stripe-signature"), b"", secret, Timestamp::from_millis(0))
        }
        Access::Webhook(Provider::GoCardless) => {
            signature::gocardless(request.header("webhook-signature"), b"", settings.gocardless_secret.as_deref())
        }
    };
    !matches!(outcome, Err(SignatureError::NotConfigured | SignatureError::Missing | SignatureError::Malformed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;

    fn head(method: &str, path: &str, headers: &[(&str, &str)]) -> Head {
        let secrets = [("STRIPE_WEBHOOK_SECRET", "whsec"), ("GOCARDLESS_WEBHOOK_SECRET", "gc")];
        let value = |name: &str| secrets.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = Inbound { method: method.into(), target: path.into(), headers, ..Inbound::default() };
        Service::new(Settings::read(value).unwrap()).head(request)
    }

    const TOKEN: (&str, &str) = ("authorization", "Bearer t");
    const GIFTS: &str = "/api/fundraising/gifts";
    const STRIPE: &str = "/api/fundraising/webhooks/stripe";
    const GOCARDLESS: &str = "/api/fundraising/webhooks/gocardless";

    /// A body is read only where it can matter, and no further than its route takes.
    #[test]
    fn bodies_wanted_by_head() {
        let hex = "ab".repeat(32);
        let signed = format!("t=1,v1={hex}");
        for (method, path, headers, max_bytes) in [
            ("POST", GIFTS, &[TOKEN][..], MAX_BODY_BYTES),
            ("POST", "/api/fundraising/gifts?token=t", &[], MAX_BODY_BYTES),
            ("PATCH", "/api/fundraising/gifts/x", &[TOKEN], MAX_BODY_BYTES),
            ("POST", GIFTS, &[], 0),
            ("POST", "/api/fundraising/gifts?token=", &[("authorization", "Basic t")], 0),
            ("POST", "/api/fundraising/gifts/x/%zz/process", &[TOKEN], 0),
            ("PATCH", "/api/fundraising/gifts/%zz", &[TOKEN], 0),
            ("GET", GIFTS, &[TOKEN], 0),
            ("DELETE", "/api/fundraising/gifts/x", &[TOKEN], 0),
            ("POST", "/api/fundraising/nothing", &[TOKEN], 0),
            ("POST", "/health", &[TOKEN], 0),
            ("OPTIONS", GIFTS, &[TOKEN], 0),
            ("POST", GIFTS, &[TOKEN, ("content-length", "102400")], MAX_BODY_BYTES),
            ("POST", GIFTS, &[TOKEN, ("Content-Length", "102401")], 0),
            ("POST", GIFTS, &[TOKEN, ("content-length", "99999999999999999999999")], 0),
            ("POST", STRIPE, &[("stripe-signature", &signed)], MAX_WEBHOOK_BODY_BYTES),
            ("POST", STRIPE, &[("stripe-signature", &signed), ("content-length", "1048577")], 0),
            ("POST", STRIPE, &[TOKEN], 0),
            ("POST", STRIPE, &[("stripe-signature", "t=1")], 0),
            ("POST", GOCARDLESS, &[("webhook-signature", &hex)], MAX_WEBHOOK_BODY_BYTES),
            ("POST", GOCARDLESS, &[("webhook-signature", "no")], 0),
            ("POST", GOCARDLESS, &[], 0),
            ("POST", "/api/fundraising/webhooks/other", &[("webhook-signature", &hex)], 0),
        ] {
            assert_eq!(head(method, path, headers).max_bytes, max_bytes, "{method} {path} {headers:?}");
        }
    }

    /// Each request takes the share of its own class.
    #[test]
    fn classes_of_routes() {
        for (method, path, class) in [
            ("GET", "/health", Class::Probe),
            ("GET", "/metrics", Class::Probe),
            ("GET", "/ready", Class::Caller),
            ("POST", STRIPE, Class::Webhook),
            ("POST", GOCARDLESS, Class::Webhook),
            ("POST", "/api/fundraising/webhooks/other", Class::Caller),
            ("POST", GIFTS, Class::Caller),
        ] {
            assert_eq!(head(method, path, &[]).class, class, "{method} {path}");
        }
    }
}
