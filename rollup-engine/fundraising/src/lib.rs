//! Rules of fundraising: gifts, donors, staging, receipts, Gift Aid, agreements, payment events.
//!
//! Deciding is plain Rust that is handed its input and the time, so that every rule is tested by itself:
//!
//! | module | what it decides | where the contract has it |
//! |---|---|---|
//! | [`payload`] | a request's body, with its members in the order sent | every route with a body |
//! | [`gift`] | what a gift says, or the first fault with its message; what cannot be true | `POST /gifts`, `POST /gift-staging`, `PATCH /gifts/:id`, a row's `rawPayload` |
//! | [`money`] | an amount in whole micros, and its currency | `amount`, `feeAmount` |
//! | [`donor`] | who gave: an explicit id, a match, a question for a reviewer, a new person | contact resolution, `dedupeDiagnostics` |
//! | [`names`] | whether two names are clearly those of two people | who gave |
//! | [`fingerprint`] | what tells one gift from every other | `sourceFingerprint` |
//! | [`trust`] | blockers, warnings, how sure the donor is, and whether it processes itself | `processingDiagnostics`, `autoProcess` |
//! | [`receipt`] | policy, status and key of the receipt | the `receipt…` fields and their environment |
//! | [`staging`] | the states of a staged gift and the events between them | `processingStatus`, the start of `POST /gift-staging/:id/process` |
//! | [`agreement`] | when the next instalment is due, and what a payment makes of the status | `nextExpectedAt`, `status` |
//! | [`provider`] | what an event of Stripe or `GoCardless` says | what follows the head of both webhook routes |
//! | [`signature`] | whether a webhook is from Stripe or from `GoCardless` | the head of both webhook routes |
//! | [`keys`] | ids that follow from what a gift is | `id` of gifts, people and rows |
//! | [`gift_aid`] | whether Gift Aid may be claimed, and why | `giftAidStatus` |
//! | [`refund`] | what a refund sets on a gift | `refundedAmount` |
//! | [`payout`] | what a payout is made of | `depositGrossAmount`, `depositRefundAmount` |
//! | [`client_error`] | what a caller is told when the answer is no | errors made by the service itself |
//!
//! An intake runs down that table: `payload` → `gift::create` → `gift::plausible` → `donor` → `fingerprint` →
//! `receipt` → `trust` → a row of `staging`, or the record at once.
//!
//! The crate does no I/O: the crate `proxy` calls Twenty on its behalf.
//!
//! # Examples
//!
//! ```
//! use fundraising::gift::create::{self, Intake};
//! use fundraising::payload::Payload;
//!
//! let body = br#"{"amount":{"amountMicros":25000000,"currencyCode":"GBP"},"contact":{"firstName":"Ada","lastName":"Byron"}}"#;
//! let gift = create::read(&Payload::parse(body).unwrap(), Intake::Direct).unwrap();
//! assert_eq!(gift.donor_id, None);
//!
//! let refusal = create::read(&Payload::parse(b"{}").unwrap(), Intake::Direct).unwrap_err();
//! assert!(refusal.message.contains("amount"));
//! ```

#[cfg(all(test, target_arch = "wasm32"))]
#[macro_use]
extern crate wasm_tests;

pub mod address;
pub mod agreement;
pub mod agreement_status;
pub mod characters;
pub mod client_error;
pub mod donor;
pub mod fingerprint;
pub mod gift;
pub mod gift_aid;
pub mod keys;
pub mod loose_amount;
pub mod money;
pub mod names;
pub mod payload;
pub mod payout;
pub mod provider;
pub mod receipt;
pub mod refund;
pub mod signature;
pub mod staging;
pub mod trust;
