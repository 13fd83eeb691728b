//! The life of a staged gift: which state it is in, what may happen to it there, and where that leads.
//!
//! ```text
//!  taken in ──▶ pending ──Release──▶ ready_for_process ──Claim──▶ processing ──Post──▶ processed ■
//!                                      │       ▲                   │     ▲              │
//!                                 Fail │       │ Release     Fail, │     │ Claim        │ Expire, if no
//!                                      ▼       │            Expire ▼     │              ▼ gift is known
//!                                    ┌────────────────────────────────────────────────────┐
//!                                    │                  process_failed                    │
//!                                    └────────────────────────────────────────────────────┘
//!
//!  pending, ready_for_process, process_failed
//!     ──FailValidation────▶ validation_failed ─┐
//!     ──SuspectDuplicate──▶ dedupe_review ─────┼─Edit, Return──▶ pending
//!     ──BlockDuplicate────▶ duplicate_blocked ─┘
//!
//!  every state but processing and processed ──Cancel──▶ cancelled ■
//! ```
//!
//! A gift that processes itself is taken in as `processing`. A worker that runs out of calls puts its row back as
//! `ready_for_process` (`PutBack`). Rows that are ready or failed may be edited and returned
//! too, and a reviewer may release what looked like a duplicate. Every event has one target; [`Event::sources`] has
//! the whole truth about where it may happen, for the condition of the write that makes a claim exclusive as well.
//! Nothing is written from here.

mod state;
mod transition;

pub use state::{Event, State};
pub use transition::{Admission, CLAIM_TIMEOUT, Change, CurrentState, Reason, admit, claim_expired, transition};
