//! A Twenty in memory: the server that everything here is tested and shown against.
//!
//! [`Sandbox`] answers requests as the recorded server does, in every way that a client can get wrong: silent limits,
//! lost rows, ignored filters, upserts that revive and create, a rate limit that earns nothing back in between. It has
//! no clock, no I/O and no randomness but a seed; [`SandboxHost`] puts time, latency and faults around it for native
//! tests, and the binary puts HTTP around it for everybody else.
//!
//! It is not a Twenty: there is no user interface, no workflow, no search, and nothing is kept.

mod aggregate;
mod bulk;
mod cell;
mod dates;
mod direct;
mod duplicates;
mod event;
mod event_log;
mod faults;
mod filter;
mod filter_text;
mod graphql;
mod group;
mod host;
mod http;
mod input;
mod limiter;
mod list;
mod load;
mod metadata;
mod model;
mod names;
mod order;
mod profile;
mod refusal;
mod render;
mod rest;
mod schema;
mod server;
mod standard;
mod state;
mod subscriptions;
mod table;
mod tokens;
mod usage;
mod webhook;
mod workspace;
mod write;

pub use direct::DirectError;
pub use event_log::RecordEvent;
pub use faults::{Crash, Fault, Faults, Latency};
pub use host::{Job, Platform, SandboxHost};
pub use limiter::{Limit, Limits, UnknownLimits};
pub use load::LoadError;
pub use profile::Profile;
pub use state::{Sandbox, Settings};
pub use tokens::Tokens;
pub use usage::Usage;
pub use webhook::Delivery;
