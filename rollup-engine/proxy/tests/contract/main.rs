//! The recorded cases of the contract, replayed against the service in this process.
//!
//! The host is scripted: it plays the upstream of one case at a time, in virtual time. What is tolerated is what the
//! contract's own replayer tolerates with `--allow-extra-reads --loose-errors`. Where the cases are absent, this says so.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

mod compare;
mod replay;
mod script;

use replay::replay;

#[test]
fn routing_and_auth() {
    replay("cases-01-routing-auth.jsonl");
}

#[test]
fn gifts() {
    replay("cases-02-gifts.jsonl");
}

#[test]
fn people_and_searches() {
    replay("cases-03-people-search.jsonl");
}

#[test]
fn households() {
    replay("cases-04-households.jsonl");
}

#[test]
fn appeals() {
    replay("cases-05-appeals.jsonl");
}

#[test]
fn agreements_and_payouts() {
    replay("cases-06-recurring-payouts.jsonl");
}

#[test]
fn staging() {
    replay("cases-07-staging.jsonl");
}

#[test]
fn processing() {
    replay("cases-08-process.jsonl");
}

#[test]
fn webhooks() {
    replay("cases-09-webhooks.jsonl");
}

#[test]
fn receipts() {
    replay("cases-10-receipts.jsonl");
}
