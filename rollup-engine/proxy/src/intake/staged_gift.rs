//! A staged gift as Twenty returns it: what it says, and how a caller sees it.
//!
//! Twenty returns every field of an object, so that a record without a key is from a workspace that left the field out.
//! A row that has an audit trail is one of this service's own model: its columns are the truth, what reviewers change
//! in Twenty's own screens included. Other rows are processed from the payload that they keep, as their writers do.

use ports::Timestamp;
use serde_json::{Map, Value, json};

use fundraising::characters::cleaned;
use fundraising::donor::{Dedupe, MatchType};
use fundraising::gift::{Gift, stored};
use fundraising::receipt::Receipt;
use fundraising::staging::{self, State};
use twenty::object::object;

/// Where a row's payload keeps what its request asked for: edits change the rest
pub(super) const REQUESTED: &str = "requested";

/// Columns that hold a text of the gift, by the same name in the payload
pub(crate) const TEXTS: [&str; 24] = [
    "intakeSource",
    "sourceFingerprint",
    "externalId",
    "paymentMethod",
    "giftDate",
    "expectedAt",
    "fundId",
    "appealId",
    "appealSegmentId",
    "trackingCodeId",
    "donorId",
    "companyId",
    "donorFirstName",
    "donorLastName",
    "donorEmail",
    "giftBatchId",
    "provider",
    "providerPaymentId",
    "recurringAgreementId",
    "giftPayoutId",
    "notes",
    "opportunityId",
    "giftIntent",
    "inKindDescription",
];

/// What a caller sees of a row, besides its texts
const STATUSES: [&str; 6] = ["id", "createdAt", "updatedAt", "processingStatus", "validationStatus", "dedupeStatus"];

/// Why a row has no payload to make a gift of
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPayload {
    /// There is none
    Missing,
    /// It is no JSON object
    Broken,
}

/// A record of `giftStaging`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StagedGift(Map<String, Value>);

impl StagedGift {
    /// From a record
    #[must_use]
    pub fn new(record: Value) -> Self {
        match record {
            Value::Object(members) => Self(members),
            _ => Self::default(),
        }
    }

    /// A trimmed text; nothing if it is blank, absent or of another type
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// Any value
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Its id
    #[must_use]
    pub fn id(&self) -> &str {
        self.text("id").unwrap_or_default()
    }

    /// Its state; a word that names none is `pending`
    #[must_use]
    pub fn state(&self) -> State {
        State::read(self.text("processingStatus")).unwrap_or_default()
    }

    /// Its state as Twenty has it, also a word that this service does not know
    #[must_use]
    pub fn state_word(&self) -> &str {
        self.text("processingStatus").unwrap_or("pending")
    }

    /// What the rules of states look at
    #[must_use]
    pub fn current_state(&self) -> staging::CurrentState<'_> {
        staging::CurrentState { state: self.state(), gift_id: self.text("giftId") }
    }

    /// When it was last written
    #[must_use]
    pub fn updated_at(&self) -> Option<Timestamp> {
        Timestamp::parse(self.text("updatedAt")?)
    }

    /// Whether the workspace has the field
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Whether it is of this service's own model
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.has("auditTrail")
    }

    /// The payload as it is kept
    pub(crate) fn raw_payload(&self) -> Result<Map<String, Value>, NoPayload> {
        match self.get("rawPayload") {
            None => Err(NoPayload::Missing),
            Some(Value::Object(members)) => Ok(members.clone()),
            Some(Value::String(text)) if text.trim().is_empty() => Err(NoPayload::Missing),
            Some(Value::String(text)) => serde_json::from_str(text).map_err(|_| NoPayload::Broken),
            Some(_) => Err(NoPayload::Broken),
        }
    }

    /// The payload, with the columns over it where they are the truth
    pub(crate) fn payload(&self) -> Result<Map<String, Value>, NoPayload> {
        let payload = self.raw_payload()?;
        let payload = if self.is_own() { self.over(payload) } else { payload };
        // Staff and imports paste what a form would have refused.
        Ok(object(payload.into_iter().map(|(key, value)| (key, cleaned(value)))))
    }

    /// A payload made from the columns alone
    pub(crate) fn rebuilt(&self) -> Map<String, Value> {
        let mut payload = Map::new();
        for key in TEXTS {
            put(&mut payload, key, self.text(key).map(Value::from));
        }
        for key in ["amount", "feeAmount"] {
            put(&mut payload, key, self.money(key));
        }
        for key in ["giftAidEligible", "autoProcess", "isInKind", "supporterEmailOptOut"] {
            put(&mut payload, key, self.get(key).filter(|flag| flag.is_boolean()).cloned());
        }
        put(&mut payload, "estimatedValue", self.get("estimatedValue").filter(|value| value.is_number()).cloned());
        put(&mut payload, "providerContext", self.get("providerContext").filter(|value| value.is_object()).cloned());
        payload
    }

    fn over(&self, mut payload: Map<String, Value>) -> Map<String, Value> {
        let columns = self.rebuilt();
        let plain = ["feeAmount", "isInKind", "estimatedValue", "amount"];
        for key in TEXTS.iter().chain(&plain) {
            if self.has(key) {
                payload.remove(*key);
            }
        }
        // A column that was never set reads `false`; what the caller did not say is not said for them.
        let said = payload.contains_key("giftAidEligible");
        for (key, value) in columns {
            let unsaid = key == "autoProcess" || (key == "giftAidEligible" && !said && value == Value::Bool(false));
            if !unsaid {
                payload.insert(key, value);
            }
        }
        payload
    }

    fn money(&self, key: &str) -> Option<Value> {
        let money = self.get(key)?;
        money.get("amountMicros").filter(|micros| !micros.is_null())?;
        Some(json!({
            "amountMicros": money.get("amountMicros"),
            "currencyCode": money.get("currencyCode"),
        }))
    }

    /// The gift that it would become
    pub(crate) fn gift(&self) -> Result<Gift, NoPayload> {
        Ok(stored::read_any(&self.payload()?))
    }

    /// The gift as it was taken in: what it is known by does not change with what is edited
    pub(crate) fn kept_gift(&self) -> Gift {
        stored::read_any(&self.raw_payload().unwrap_or_default())
    }

    /// What was found about the donor at intake
    pub(crate) fn dedupe(&self) -> Option<Dedupe> {
        let payload = self.raw_payload().ok()?;
        let found = payload.get("dedupeDiagnostics")?;
        let match_type = MatchType::read(found.get("matchType")?.as_str()?);
        let matched = found.get("matchedDonorId")?.as_str()?.to_owned();
        let candidates = found.get("candidateDonorIds").and_then(Value::as_array).into_iter().flatten();
        let candidates = candidates.filter_map(|id| id.as_str().map(str::to_owned)).collect();
        Some(Dedupe { match_type, candidates, matched })
    }

    /// As `GET /gift-staging/:id` shows it
    #[must_use]
    pub fn to_view(&self) -> Value {
        let mut view = self.common();
        put(&mut view, "giftId", self.text("giftId").map(Value::from));
        put(&mut view, "companyId", self.text("companyId").map(Value::from));
        put(&mut view, "rawPayload", self.payload_text().map(Value::from));
        for key in ["autoProcess", "giftAidEligible", "isInKind", "supporterEmailOptOut"] {
            put(&mut view, key, self.get(key).filter(|flag| flag.is_boolean()).cloned());
        }
        put(&mut view, "auditTrail", self.get("auditTrail").cloned());
        Value::Object(view)
    }

    /// As an entry of `GET /gift-staging` shows it; nothing for a record without an id
    #[must_use]
    pub fn to_item(&self) -> Option<Value> {
        self.text("id")?;
        let mut item = self.common();
        item.remove("companyId");
        item.insert("rawPayloadAvailable".into(), self.payload_text().is_some().into());
        for key in ["autoProcess", "giftAidEligible", "isInKind"] {
            item.insert(key.into(), self.get(key).and_then(Value::as_bool).unwrap_or(false).into());
        }
        Some(Value::Object(item))
    }

    /// The payload as JSON text
    pub(crate) fn payload_text(&self) -> Option<String> {
        match self.get("rawPayload")? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            value => Some(value.to_string()),
        }
    }

    fn common(&self) -> Map<String, Value> {
        let mut view = Map::new();
        for key in STATUSES.iter().chain(&TEXTS) {
            put(&mut view, key, self.text(key).map(Value::from));
        }
        put(&mut view, "errorDetail", self.error_detail().map(Value::from));
        for (key, micros, code) in
            [("amount", "amountMicros", "currencyCode"), ("feeAmount", "feeAmountMicros", "feeCurrencyCode")]
        {
            let Some(money) = self.get(key) else { continue };
            put(&mut view, micros, money.get("amountMicros").and_then(number).map(whole));
            let currency = money.get("currencyCode").and_then(Value::as_str).map(str::trim);
            put(&mut view, code, currency.filter(|text| !text.is_empty()).map(Value::from));
        }
        put(&mut view, "estimatedValue", self.get("estimatedValue").and_then(number).map(Value::from));
        for key in ["providerContext", "processingDiagnostics"] {
            put(&mut view, key, self.get(key).and_then(only_object));
        }
        if let Ok(payload) = self.raw_payload() {
            let receipt = Receipt::read(&payload);
            put(&mut view, "receiptWarnings", self.receipt_warnings(&payload, &receipt));
            view.extend(receipt.to_json());
        }
        view
    }

    /// The same, in another state
    pub(crate) fn in_state(mut self, state: State) -> Self {
        self.0.insert("processingStatus".into(), state.as_str().into());
        self
    }

    pub(crate) fn error_detail(&self) -> Option<String> {
        match self.get("errorDetail")? {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            value => {
                Some(value.get("message").and_then(Value::as_str).map_or_else(|| value.to_string(), str::to_owned))
            }
        }
    }

    fn receipt_warnings(&self, payload: &Map<String, Value>, receipt: &Receipt) -> Option<Value> {
        let there = |key: &str| {
            let kept = payload.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
            self.text(key).or(kept).is_some()
        };
        let status = receipt.status.as_deref().unwrap_or_default();
        let mut warnings = Vec::new();
        if receipt.channel.as_deref().unwrap_or("email") == "email" && status != "suppressed" {
            if !there("donorEmail") {
                warnings.push("Missing email for receipt");
            }
            if !(there("donorFirstName") && there("donorLastName")) {
                warnings.push("Missing donor name");
            }
        }
        match status {
            "suppressed" => warnings.push("Receipt suppressed"),
            "failed" => warnings.push("Receipt failed"),
            _ => {}
        }
        (!warnings.is_empty()).then(|| warnings.into())
    }
}

fn put(members: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        members.insert(key.into(), value);
    }
}

/// A number, also one in a text
fn number(value: &Value) -> Option<serde_json::Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

fn whole(number: serde_json::Number) -> Value {
    let rounded = twenty::decimal::Decimal::parse(&number.to_string()).map(|number| number.rounded(0).to_json());
    rounded.unwrap_or(Value::Number(number))
}

/// An object, also one in a text
fn only_object(value: &Value) -> Option<Value> {
    match value {
        Value::Object(_) => Some(value.clone()),
        Value::String(text) => serde_json::from_str(text).ok().map(Value::Object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_win_over_payload() {
        let mut record = json!({
            "id": "r", "notes": "by a reviewer in Twenty", "fundId": null, "donorFirstName": "Ada",
            "amount": { "amountMicros": 2, "currencyCode": "GBP" }, "giftAidEligible": false,
            "rawPayload": { "amount": { "amountMicros": 1, "currencyCode": "GBP" }, "notes": "at intake",
                "fundId": "f", "recurringStatus": "active", "companyId": "kept where there is no column" },
        });
        let foreign = StagedGift::new(record.clone()).gift().unwrap();
        assert_eq!((foreign.amount.amount_micros, foreign.notes.as_deref()), (1, Some("at intake")));
        record["auditTrail"] = Value::Null;
        let own = StagedGift::new(record).gift().unwrap();
        assert_eq!((own.amount.amount_micros, own.notes.as_deref()), (2, Some("by a reviewer in Twenty")));
        assert_eq!(own.fund_id, None, "cleared");
        assert_eq!(own.donor_first_name.as_deref(), Some("Ada"));
        assert_eq!(own.recurring_status.as_deref(), Some("active"), "it has no column");
        assert_eq!(own.company_id.as_deref(), Some("kept where there is no column"));
        assert_eq!(own.gift_aid_eligible, None, "nobody said so");
    }

    #[test]
    fn payloads_are_told_apart() {
        let row = |payload: Value| StagedGift::new(json!({ "rawPayload": payload })).raw_payload();
        assert_eq!(row(json!(null)), Err(NoPayload::Missing));
        assert_eq!(row(json!(" ")), Err(NoPayload::Missing));
        assert_eq!(row(json!("{broken")), Err(NoPayload::Broken));
        assert_eq!(row(json!("[1]")), Err(NoPayload::Broken));
        assert_eq!(row(json!(7)), Err(NoPayload::Broken));
        assert!(row(json!("{}")).is_ok() && row(json!({})).is_ok());
    }

    #[test]
    fn an_error_is_shown_by_its_message() {
        let shown =
            |error: Value| StagedGift::new(json!({ "id": "r", "errorDetail": error })).to_view()["errorDetail"].clone();
        assert_eq!(shown(json!({ "code": "c", "message": "no such fund", "at": "…" })), "no such fund");
        assert_eq!(shown(json!(" boom ")), "boom");
        assert_eq!(shown(json!({ "statusCode": 400 })), "{\"statusCode\":400}");
    }
}
