//! The row that is written for a gift: its columns, and the whole of it as JSON text.

use serde_json::{Map, Value};

use super::staged_gift::REQUESTED;
use super::staged_gift::TEXTS;
use fundraising::donor::Dedupe;
use fundraising::gift::Gift;
use fundraising::receipt::Receipt;
use fundraising::staging::State;

/// Body of `POST /giftStagings`
///
/// `diagnostics` may hold more than the verdicts: who sent it and when. `requested` is what later requests with the same
/// key are compared with.
pub(crate) fn create(
    gift: &Gift,
    receipt: &Receipt,
    dedupe: Option<&Dedupe>,
    diagnostics: &Value,
    state: State,
    requested: Option<Map<String, Value>>,
) -> Map<String, Value> {
    let mut payload = gift.to_json();
    payload.extend(receipt.to_json());
    if let Some(requested) = requested {
        payload.insert(REQUESTED.into(), requested.into());
    }
    payload.insert("processingDiagnostics".into(), diagnostics.clone());
    if let Some(dedupe) = dedupe {
        payload.insert("dedupeDiagnostics".into(), dedupe.to_json());
    }
    let mut row = columns(&payload);
    row.entry("giftAidEligible").or_insert(false.into());
    row.insert("autoProcess".into(), gift.auto_process.unwrap_or(false).into());
    row.insert("processingStatus".into(), state.as_str().into());
    if let Some(dedupe) = dedupe {
        row.insert("dedupeStatus".into(), dedupe.match_type.dedupe_status().into());
    }
    row.insert("processingDiagnostics".into(), diagnostics.clone());
    row.insert("rawPayload".into(), Value::Object(payload).to_string().into());
    row
}

/// The columns that a payload fills
pub(crate) fn columns(payload: &Map<String, Value>) -> Map<String, Value> {
    let plain = ["amount", "feeAmount", "giftAidEligible", "isInKind", "estimatedValue", "supporterEmailOptOut"];
    let mut row = Map::new();
    for key in TEXTS.iter().chain(&plain) {
        if let Some(value) = payload.get(*key) {
            row.insert((*key).into(), value.clone());
        }
    }
    // Evidence that is no object stays in the payload.
    if let Some(context @ Value::Object(_)) = payload.get("providerContext") {
        row.insert("providerContext".into(), context.clone());
    }
    row
}

/// A change of one text, in its column and in the payload
pub(crate) fn changed(mut payload: Map<String, Value>, key: &str, text: &str) -> Map<String, Value> {
    payload.insert(key.into(), text.into());
    let mut row = Map::new();
    row.insert(key.into(), text.into());
    row.insert("rawPayload".into(), Value::Object(payload).to_string().into());
    row
}
