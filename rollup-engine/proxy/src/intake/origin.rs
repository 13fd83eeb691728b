//! Where a gift comes from.

/// How a gift reached us: API, import or webhook
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// `POST /gifts`
    Gifts,
    /// `POST /gift-staging`: always for review
    Staging,
    /// A payment provider: a payment is never turned away for what is not known of it
    Webhook,
}

/// Where a gift comes from
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// By which channel
    pub channel: Channel,
    /// What the sender calls the request: an `Idempotency-Key`, or the id of a provider's event
    pub request_key: Option<&'a str>,
}
