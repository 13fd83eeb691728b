//! The core of a fundraising proxy in front of Twenty.
//!
//! Deciding is plain Rust that is handed its input and the time, so that every rule is tested by itself:
//!
//! | module | what it decides | where the contract has it |
//! |---|---|---|
//! | [`payload`] | a request's body, with its members in the order sent | every route with a body |
//! | [`gift`] | what a gift says, or the first fault with its message; what cannot be true | `POST /gifts`, `POST /gift-staging`, `PATCH /gifts/:id`, a row's `rawPayload` |
//! | [`money`] | an amount in whole micros, and its currency | `amount`, `feeAmount` |
//! | [`donor`] | who gave: an explicit id, a match, a question for a reviewer, a new person | contact resolution, `dedupeDiagnostics` |
//! | [`fingerprint`] | what tells one gift from every other | `sourceFingerprint` |
//! | [`trust`] | blockers, warnings, how sure the giver is, and whether it processes itself | `processingDiagnostics`, `autoProcess` |
//! | [`receipt`] | policy, status and key of the receipt | the `receipt…` fields and their environment |
//! | [`staging`] | the states of a staged gift and the events between them | `processingStatus`, the start of `POST /gift-staging/:id/process` |
//! | [`agreement`] | when the next instalment is due, and what a payment makes of the status | `nextExpectedAt`, `status` |
//! | [`provider`] | what an event of Stripe or `GoCardless` says | what follows the head of both webhook routes |
//! | [`signature`] | whether a webhook is from Stripe or from `GoCardless` | the head of both webhook routes |
//! | [`keys`] | ids that follow from what a gift is | `id` of gifts, people and rows |
//! | [`gift_aid`] | whether Gift Aid may be claimed, and why | `giftAidStatus` |
//! | [`refund`] | what a refund sets on a gift | `refundedAmount` |
//! | [`refusal`] | what a caller is told when the answer is no | errors made by the service itself |
//!
//! An intake runs down that table: `payload` → `gift::create` → `gift::plausible` → `donor` → `fingerprint` →
//! `receipt` → `trust` → a row of `staging`, or the record at once.
//!
//! Doing is one future a request over [`ports::Host`]: [`head`] says whether its body is read, [`proxy`] takes an [`http`] request in, and [`routes`] finds its
//! way. Its rules are plain functions over a [`scope`]; the [`journal`] lets them run anew with each answer, and only
//! `upstream` waits, for a turn in the [`queue`] (or, as one of the [`callers`] not known yet, for the allowance of those) and
//! for Twenty, past the [`cache`]. [`failure`] is what the caller is told
//! when it did not work. Nothing knows JavaScript.

pub mod address;
pub mod agreement;
pub mod cache;
pub mod callers;
pub mod deliver;
pub mod done;
pub mod donor;
pub mod failure;
pub mod fingerprint;
pub mod gift;
pub mod gift_aid;
pub mod head;
pub mod http;
pub mod intake;
mod json;
pub mod keys;
pub mod metrics;
pub mod model;
pub mod money;
pub mod payload;
pub mod provider;
pub mod proxy;
pub mod queue;
pub mod receipt;
pub mod refund;
pub mod refusal;
pub mod routes;
pub mod scope;
pub mod settings;
pub mod signature;
pub mod staging;
pub mod standing;
mod subject;
pub mod sum;
pub mod trust;
mod upstream;
