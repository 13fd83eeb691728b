//! A reviewer's change of a row: what may be changed, what it voids, and what is then written.
//!
//! Only what was said goes into the columns, so that two reviewers who change different things do not undo each other.
//! `null` and a blank text clear. After a change the row's verdicts are void, and its diagnostics are made anew.

use ports::Timestamp;
use serde_json::{Map, Value, json};

use super::staged_gift::StagedGift;
use fundraising::client_error::ClientError;
use fundraising::gift::{plausible, require_relation_id, require_relation_ids, stored};
use fundraising::money::require_whole_minor_units;
use fundraising::payload::Payload;
use fundraising::staging::{Event, State, transition};
use fundraising::trust::Diagnostics;
use twenty::object::object;

/// Texts that a reviewer may change
const TEXTS: [&str; 19] = [
    "donorId",
    "companyId",
    "donorFirstName",
    "donorLastName",
    "donorEmail",
    "giftDate",
    "expectedAt",
    "fundId",
    "appealId",
    "appealSegmentId",
    "trackingCodeId",
    "opportunityId",
    "recurringAgreementId",
    "paymentMethod",
    "giftIntent",
    "inKindDescription",
    "notes",
    "giftBatchId",
    "giftPayoutId",
];

/// What a reviewer may say of a row, and the words for it
const VERDICTS: [(&str, &[&str]); 2] = [
    ("validationStatus", &["pending", "passed", "failed"]),
    ("dedupeStatus", &["pending", "passed", "failed", "matched_existing", "needs_review"]),
];

/// A change as it was asked for
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Edit {
    /// Members of the payload, and their columns; `null` clears
    values: Vec<(&'static str, Value)>,
    /// Parts of the two amounts: the amount, the part, the value
    parts: Vec<(&'static str, &'static str, Value)>,
    /// The whole payload in its place
    payload: Option<Map<String, Value>>,
    /// `processingStatus`
    status: Option<Event>,
    /// Verdicts set by hand
    verdicts: Vec<(&'static str, String)>,
    /// `errorDetail` set by hand; `null` clears
    error: Option<Value>,
    /// The batch that the status route files the row under: its column alone, as it says nothing about the gift
    batch: Option<Value>,
}

/// What is to be written, and what is to be remembered of it
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) body: Map<String, Value>,
    pub(crate) action: &'static str,
    pub(crate) particulars: Value,
}

impl Edit {
    /// Reads the body of `PATCH /gift-staging/:id`; unknown members are ignored
    pub(crate) fn read(body: &Payload) -> Result<Self, ClientError> {
        let mut edit = Self::default();
        for (key, value) in body.iter() {
            let part = match key {
                "amountMicros" => Some(("amount", "amountMicros")),
                "currencyCode" => Some(("amount", "currencyCode")),
                "feeAmountMicros" => Some(("feeAmount", "amountMicros")),
                "feeCurrencyCode" => Some(("feeAmount", "currencyCode")),
                _ => None,
            };
            if let Some((money, part)) = part {
                let value = match text_or_number(part, key, value)? {
                    Value::String(code) => code.to_ascii_uppercase().into(),
                    value => value,
                };
                edit.parts.push((money, part, value));
            } else if let Some(name) = TEXTS.into_iter().find(|name| *name == key) {
                edit.values.push((name, text(key, value)?));
            } else {
                match key {
                    "estimatedValue" => edit.values.push(("estimatedValue", numeric(key, value)?)),
                    "isInKind" => edit.values.push(("isInKind", flag(key, value)?)),
                    "giftAidEligible" => edit.values.push(("giftAidEligible", flag(key, value)?)),
                    "supporterEmailOptOut" => edit.values.push(("supporterEmailOptOut", flag(key, value)?)),
                    _ => edit.status_member(key, value)?,
                }
            }
        }
        edit.values.iter_mut().try_for_each(|(key, value)| require_relation_id(key, value))?;
        Ok(edit)
    }

    /// Reads the body of `PATCH /gift-staging/:id/status`; blanks and unknown members are ignored
    pub(crate) fn read_status(body: &Payload) -> Result<Self, ClientError> {
        let mut edit = Self::default();
        for (key, value) in body.iter() {
            match key {
                "giftBatchId" => edit.batch = Some(text(key, value)?).filter(Value::is_string),
                "rawPayload" => edit.payload = raw_payload(value)?,
                _ if value.is_null() => {}
                "errorDetail" if value.as_str().is_some_and(|text| text.trim().is_empty()) => {}
                _ => edit.status_member(key, value)?,
            }
        }
        if let Some(payload) = &mut edit.payload {
            let faulty = |refusal: ClientError| ClientError::bad(format!("rawPayload.{}", refusal.message));
            require_relation_ids(payload).map_err(faulty)?;
        }
        Ok(edit)
    }

    fn status_member(&mut self, key: &str, value: &Value) -> Result<(), ClientError> {
        if key == "errorDetail" {
            self.error = Some(match value {
                Value::String(text) if text.trim().is_empty() => Value::Null,
                // The field takes objects; a sentence would be refused.
                Value::String(text) => json!({ "code": "noted", "message": text.trim() }),
                _ => value.clone(),
            });
            return Ok(());
        }
        let verdict = VERDICTS.into_iter().find(|(name, _)| *name == key);
        if key != "processingStatus" && verdict.is_none() {
            return Ok(());
        }
        let Value::String(word) = text(key, value)? else { return Ok(()) };
        match verdict {
            None => self.status = Some(Event::asked_for(&word)?),
            Some((name, words)) if words.contains(&word.as_str()) => self.verdicts.push((name, word)),
            Some((name, words)) => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                return Err(ClientError::bad(format!("{name} `{word}` must be one of {}", words.join(", "))));
            }
        }
        Ok(())
    }

    /// Whether nothing was asked for
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn changes_the_gift(&self) -> bool {
        !self.values.is_empty() || !self.parts.is_empty() || self.payload.is_some()
    }

    /// What it writes on a row that cannot be read, as far as that can be said
    pub(crate) fn unseen(&self) -> Map<String, Value> {
        let mut body = Map::new();
        for (key, value) in &self.values {
            body.insert((*key).into(), value.clone());
        }
        if let Some(payload) = &self.payload {
            body.insert("rawPayload".into(), Value::Object(payload.clone()).to_string().into());
        }
        if let Some(event) = self.status {
            body.insert("processingStatus".into(), event.target().as_str().into());
        }
        self.said(&mut body);
        body
    }

    fn said(&self, body: &mut Map<String, Value>) {
        for (key, word) in &self.verdicts {
            body.insert((*key).into(), word.as_str().into());
        }
        for (key, value) in [("errorDetail", &self.error), ("giftBatchId", &self.batch)] {
            if let Some(value) = value {
                body.insert(key.into(), value.clone());
            }
        }
    }

    /// What it does to a row
    ///
    /// # Errors
    /// 409 if the row's state does not allow it, 400 if the gift could then not be true.
    pub(crate) fn apply(&self, row: &StagedGift, now: Timestamp) -> Result<Change, ClientError> {
        let mut body = Map::new();
        let mut standing = row.current_state();
        if self.changes_the_gift() {
            let change = transition(standing, Event::Edit)?;
            standing.state = change.state;
            let known = row.state();
            if known != State::Pending {
                body.insert("processingStatus".into(), change.state.as_str().into());
            }
            for (key, word) in [("validationStatus", change.validation), ("dedupeStatus", change.dedupe)] {
                if let (Some(word), Some(_)) = (word, row.text(key)) {
                    body.insert(key.into(), word.into());
                }
            }
            if row.get("errorDetail").is_some() {
                body.insert("errorDetail".into(), Value::Null);
            }
            self.change_the_gift(row, now, &mut body)?;
        }
        if let Some(event) = self.status {
            // Putting a row where it is already changes nothing, whatever its state.
            if event.target() != standing.state || standing.gift_id.is_some() {
                transition(standing, event)?;
            }
            body.insert("processingStatus".into(), event.target().as_str().into());
        }
        self.said(&mut body);
        let (action, particulars) = self.told(row);
        Ok(Change { body, action, particulars })
    }

    fn change_the_gift(
        &self,
        row: &StagedGift,
        now: Timestamp,
        body: &mut Map<String, Value>,
    ) -> Result<(), ClientError> {
        let mut payload = match &self.payload {
            Some(payload) => payload.clone(),
            None => row.payload().unwrap_or_else(|_| row.rebuilt()),
        };
        if self.payload.is_some() && row.is_own() {
            for (key, value) in super::columns::columns(&payload) {
                body.insert(key, value);
            }
        }
        for (key, value) in &self.values {
            body.insert((*key).into(), value.clone());
            set(&mut payload, key, value.clone());
            if *key == "supporterEmailOptOut" {
                // Whether a receipt goes out is decided anew.
                payload.remove("receiptStatus");
            }
        }
        for money in ["amount", "feeAmount"] {
            self.change_money(money, row, &mut payload, body);
            if let Some(changed) = body.get(money).filter(|_| self.parts.iter().any(|(name, ..)| *name == money)) {
                require_whole_minor_units(money, changed)?;
            }
        }
        if self.values.iter().any(|(key, value)| *key == "donorId" && !value.is_null()) {
            // A reviewer says who gave: what was guessed is settled.
            payload.remove("dedupeDiagnostics");
            if row.get("dedupeStatus").is_some() {
                body.insert("dedupeStatus".into(), "matched_existing".into());
            }
        }
        let gift = stored::read_any(&payload);
        plausible::check(&gift, now)?;
        if payload.contains_key("processingDiagnostics") || row.is_own() {
            let dedupe = if payload.contains_key("dedupeDiagnostics") { row.dedupe() } else { None };
            let diagnostics = Diagnostics::of(&gift, dedupe.as_ref()).to_json();
            payload.insert("processingDiagnostics".into(), diagnostics.clone());
            body.insert("processingDiagnostics".into(), diagnostics);
        }
        body.insert("rawPayload".into(), Value::Object(payload).to_string().into());
        Ok(())
    }

    fn change_money(
        &self,
        key: &str,
        row: &StagedGift,
        payload: &mut Map<String, Value>,
        body: &mut Map<String, Value>,
    ) {
        let mut changed = false;
        let mut money = payload.get(key).filter(|money| money.is_object()).cloned().unwrap_or_else(|| {
            let column = row.get(key).cloned().unwrap_or_default();
            json!({
                "amountMicros": column.get("amountMicros"),
                "currencyCode": column.get("currencyCode"),
            })
        });
        for (_, part, value) in self.parts.iter().filter(|(name, ..)| *name == key) {
            if let Some(members) = money.as_object_mut() {
                members.insert((*part).into(), value.clone());
                changed = true;
            }
        }
        if !changed {
            return;
        }
        // A fee is in the currency of its gift, unless somebody says otherwise.
        let own = payload.get("amount").and_then(|amount| amount.get("currencyCode")).cloned();
        if let (Some(own), Some(members)) = (own, money.as_object_mut())
            && members.get("currencyCode").is_none_or(Value::is_null)
        {
            members.insert("currencyCode".into(), own);
        }
        let has_code =
            self.parts.iter().any(|(name, part, value)| *name == key && *part == "currencyCode" && !value.is_null());
        if money.get("amountMicros").is_none_or(Value::is_null) && !has_code {
            // Twenty ignores a plain null for an amount; both parts of it clear.
            payload.remove(key);
            body.insert(key.into(), json!({ "amountMicros": null, "currencyCode": null }));
        } else {
            payload.insert(key.into(), money.clone());
            body.insert(key.into(), money);
        }
    }

    /// The action's name, and the particulars that the trail keeps
    fn told(&self, row: &StagedGift) -> (&'static str, Value) {
        let mut fields: Vec<&str> = self.values.iter().map(|(key, _)| *key).collect();
        fields.extend(self.parts.iter().map(|(money, ..)| *money));
        if self.batch.is_some() {
            fields.push("giftBatchId");
        }
        if self.payload.is_some() {
            fields.push("rawPayload");
        }
        fields.dedup();
        let mut told = object([("from".to_owned(), row.state().as_str().into())]);
        let donor = self.values.iter().find(|(key, value)| *key == "donorId" && !value.is_null());
        if let Some((_, donor)) = donor {
            told.insert("donorId".into(), donor.clone());
            told.insert("previousDonorId".into(), row.text("donorId").into());
        }
        if let Some(event) = self.status {
            told.insert("to".into(), event.target().as_str().into());
        }
        for (key, word) in &self.verdicts {
            told.insert((*key).into(), word.as_str().into());
        }
        let has_fields = !fields.is_empty();
        if has_fields {
            told.insert("fields".into(), fields.into());
        }
        let action = if donor.is_some() {
            "merged"
        } else if has_fields {
            "edited"
        } else {
            "status_changed"
        };
        (action, told.into())
    }
}

fn set(payload: &mut Map<String, Value>, key: &str, value: Value) {
    if value.is_null() {
        payload.remove(key);
    } else {
        payload.insert(key.into(), value);
    }
}

/// Trimmed; `null` if blank
fn text(key: &str, value: &Value) -> Result<Value, ClientError> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::String(text) => {
            let text = text.trim();
            Ok(if text.is_empty() { Value::Null } else { text.into() })
        }
        _ => Err(ClientError::bad(format!("{key} must be a string or null"))),
    }
}

/// A part of an amount: its micros are a number, its currency a text
fn text_or_number(part: &str, key: &str, value: &Value) -> Result<Value, ClientError> {
    if part == "amountMicros" { numeric(key, value) } else { text(key, value) }
}

fn numeric(key: &str, value: &Value) -> Result<Value, ClientError> {
    match value {
        Value::Null | Value::Number(_) => Ok(value.clone()),
        _ => Err(ClientError::bad(format!("{key} must be a number or null"))),
    }
}

fn flag(key: &str, value: &Value) -> Result<Value, ClientError> {
    match value {
        Value::Null | Value::Bool(_) => Ok(value.clone()),
        _ => Err(ClientError::bad(format!("{key} must be a boolean or null"))),
    }
}

fn raw_payload(value: &Value) -> Result<Option<Map<String, Value>>, ClientError> {
    let fault = || ClientError::bad("rawPayload must be a JSON object, or the text of one");
    match value {
        Value::Null => Ok(None),
        Value::Object(members) => Ok(Some(members.clone())),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => serde_json::from_str(text).map(Some).map_err(|_| fault()),
        _ => Err(fault()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONOR: &str = "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10";

    fn row(own: bool) -> StagedGift {
        StagedGift::new(record(own))
    }

    fn record(own: bool) -> Value {
        let mut record = json!({
            "id": "r", "processingStatus": "validation_failed", "validationStatus": "failed", "dedupeStatus": "passed",
            "errorDetail": { "code": "x" }, "giftDate": "2026-01-15", "fundId": "f", "donorId": null,
            "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" }, "notes": "n",
            "rawPayload": { "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" }, "giftDate": "2026-01-15",
                "fundId": "f", "notes": "n", "donorFirstName": "Ada", "donorLastName": "Byron" },
        });
        if own {
            record["auditTrail"] = Value::Null;
            record["donorFirstName"] = json!("Ada");
            record["donorLastName"] = json!("Byron");
        }
        record
    }

    fn edit(body: &Value) -> Result<Edit, ClientError> {
        Edit::read(&Payload::parse(body.to_string().as_bytes()).unwrap())
    }

    fn apply(body: &Value, row: &StagedGift) -> Result<Change, ClientError> {
        edit(body)?.apply(row, Timestamp::parse("2026-03-01T12:00:00Z").unwrap())
    }

    fn payload(change: &Change) -> Value {
        serde_json::from_str(change.body["rawPayload"].as_str().unwrap()).unwrap()
    }

    #[test]
    fn null_clears_the_column_and_the_payload() {
        let change = apply(&json!({ "fundId": null, "notes": " ", "amountMicros": null }), &row(true)).unwrap();
        assert_eq!(change.body["fundId"], Value::Null);
        assert_eq!(change.body["notes"], Value::Null);
        assert_eq!(change.body["amount"], json!({ "amountMicros": null, "currencyCode": null }));
        let payload = payload(&change);
        for key in ["fundId", "notes", "amount"] {
            assert!(payload.get(key).is_none(), "{key}");
        }
        assert_eq!(payload["processingDiagnostics"]["processingBlockers"], json!(["amount_missing"]));
    }

    #[test]
    fn edit_changes_named_columns() {
        let change = apply(&json!({ "notes": " called " }), &row(false)).unwrap();
        let keys: Vec<_> = change.body.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["dedupeStatus", "errorDetail", "notes", "processingStatus", "rawPayload", "validationStatus"]
        );
        assert_eq!(payload(&change)["fundId"], "f");
    }

    #[test]
    fn edit_resets_verdicts() {
        let change = apply(&json!({ "giftDate": null }), &row(true)).unwrap();
        assert_eq!(change.body["processingStatus"], "pending");
        assert_eq!(change.body["validationStatus"], "pending");
        assert_eq!(change.body["dedupeStatus"], "pending");
        assert_eq!(change.body["errorDetail"], Value::Null);
        assert_eq!(change.body["processingDiagnostics"]["processingBlockers"], json!(["gift_date_missing"]));
        assert_eq!((change.action, &change.particulars["fields"]), ("edited", &json!(["giftDate"])));
    }

    #[test]
    fn pick_donor_and_release() {
        let change = apply(&json!({ "donorId": DONOR, "processingStatus": "ready_for_process" }), &row(true)).unwrap();
        assert_eq!(change.body["processingStatus"], "ready_for_process");
        assert_eq!(change.body["dedupeStatus"], "matched_existing");
        assert_eq!(change.body["processingDiagnostics"]["identityConfidence"], "explicit");
        assert_eq!(change.action, "merged");
        assert_eq!(
            change.particulars,
            json!({ "from": "validation_failed", "to": "ready_for_process", "donorId": DONOR, "previousDonorId": null,
                "fields": ["donorId"] })
        );
    }

    #[test]
    fn a_company_can_be_set() {
        let change = apply(&json!({ "companyId": DONOR, "giftIntent": "grant" }), &row(true)).unwrap();
        assert_eq!((&change.body["companyId"], &payload(&change)["companyId"]), (&json!(DONOR), &json!(DONOR)));
        let refused = apply(&json!({ "companyId": "../people" }), &row(true)).unwrap_err();
        assert_eq!(refused.message, "companyId must be a UUID");
    }

    #[test]
    fn impossible_edit_is_refused() {
        for (body, expected) in [
            (json!({ "amountMicros": -10_000 }), "amount.amountMicros must be greater than zero"),
            (json!({ "amountMicros": 1 }), "amount.amountMicros must be a whole number of GBP's smallest unit"),
            (json!({ "giftDate": "0202-01-15" }), "giftDate `0202-01-15` must not be before 1900"),
            (json!({ "amountMicros": "5" }), "amountMicros must be a number or null"),
            (json!({ "notes": 1 }), "notes must be a string or null"),
            (json!({ "isInKind": "x" }), "isInKind must be a boolean or null"),
            (
                json!({ "giftDate": "2026-02-30" }),
                "giftDate `2026-02-30` must be a calendar date in the form YYYY-MM-DD",
            ),
            (
                json!({ "processingStatus": "processed" }),
                "processingStatus `processed` is set by processing, not by hand",
            ),
            (
                json!({ "dedupeStatus": "maybe" }),
                "dedupeStatus `maybe` must be one of `pending`, `passed`, `failed`, `matched_existing`, `needs_review`",
            ),
        ] {
            assert_eq!(apply(&body, &row(true)).unwrap_err().message, expected);
        }
        let processed = StagedGift::new(json!({ "processingStatus": "processed", "giftId": "g" }));
        assert_eq!(apply(&json!({ "notes": "x" }), &processed).unwrap_err().status.code(), 409);
        let released = json!({ "processingStatus": "ready_for_process" });
        assert_eq!(apply(&released, &row(true)).unwrap_err().status.code(), 409, "it failed validation");
    }

    #[test]
    fn empty_error_detail_in_a_status_body() {
        let body = json!({ "processingStatus": "cancelled", "errorDetail": " ", "giftBatchId": " " });
        let edit = Edit::read_status(&Payload::parse(body.to_string().as_bytes()).unwrap()).unwrap();
        assert_eq!(Value::Object(edit.unseen()), json!({ "processingStatus": "cancelled" }));
        let cleared = apply(&json!({ "errorDetail": "" }), &row(true)).unwrap();
        assert_eq!(cleared.body["errorDetail"], Value::Null, "an edit clears");
    }

    #[test]
    fn currency_alone() {
        for own in [false, true] {
            let change = apply(&json!({ "currencyCode": "eur" }), &row(own)).unwrap();
            let euros = json!({ "amountMicros": 25_000_000, "currencyCode": "EUR" });
            assert_eq!((&change.body["amount"], &payload(&change)["amount"]), (&euros, &euros));
            let mut without = record(own);
            without["amount"] = json!({ "amountMicros": null, "currencyCode": null });
            without["rawPayload"] = json!({ "giftDate": "2026-01-15" });
            let change = apply(&json!({ "currencyCode": "EUR" }), &StagedGift::new(without)).unwrap();
            assert_eq!(change.body["amount"], json!({ "amountMicros": null, "currencyCode": "EUR" }));
        }
    }

    #[test]
    fn status_body_ignores_unknown_keys() {
        let body = json!({ "processingStatus": " ", "validationStatus": null, "ignored": 1, "giftBatchId": "b" });
        let edit = Edit::read_status(&Payload::parse(body.to_string().as_bytes()).unwrap()).unwrap();
        assert_eq!(Value::Object(edit.unseen()), json!({ "giftBatchId": "b" }));
        assert_eq!(
            Value::Object(edit.apply(&row(true), Timestamp::from_millis(0)).unwrap().body),
            json!({ "giftBatchId": "b" })
        );
        let nothing = Edit::read_status(&Payload::parse(b"{\"processingStatus\":\"\"}").unwrap()).unwrap();
        assert!(nothing.is_empty());
    }
}
