//! What follows once a row is posted: the agreement moves on, Gift Aid is decided.
//!
//! Each step may be made again: it reads what is there and writes what follows from the gift, so that a process that
//! died between the gift and its consequences is made good by the next one. None of them can undo the gift, and none
//! fails it.

use ports::Level;
use ports::time::{format_date, parse_date};
use serde_json::{Map, Value};
use time::Date;
use twenty::rate_limiter::Priority;
use twenty::target::{Query, Target};

use super::{gift_aid, store};
use crate::context::RequestContext;
use crate::error::Error;
use crate::payment_facts;
use crate::payout_amounts;
use fundraising::agreement::{Cadence, Schedule, next_due, status_after_payment};
use fundraising::gift::Gift;

/// Whether an agreement that cannot be read is written to all the same
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingAgreement {
    /// With the next month, as older services did
    Upsert,
    /// No
    Skip,
}

/// Everything that follows from a gift; `is_described` says that its donor was found by what the gift says of them
pub(crate) async fn run(
    cx: &RequestContext<'_>,
    gift: &Gift,
    record: &Value,
    paid_on: Option<Date>,
    missing_agreement: MissingAgreement,
    is_described: bool,
) {
    // A provider's own event settles by itself, and comes again if it could not.
    if cx.priority != Priority::Webhook
        && let Err(failure) = payment_facts::settle_gift(cx, gift, record).await
    {
        cx.log(Level::Warn, "gift_refund_failed", &[("message", failure.for_log().into())]);
    }
    // The payout of a gift that waited for a reviewer was told before.
    if cx.priority != Priority::Webhook
        && let Some(Ok(payout)) = gift.gift_payout_id.as_deref().map(str::parse)
        && gift.provider.is_some()
        && let Err(failure) = payout_amounts::update(cx, payout).await
    {
        cx.log(Level::Warn, "payout_link_failed", &[("message", failure.for_log().into())]);
    }
    if let Some(agreement) = &gift.recurring_agreement_id
        && let Err(failure) = advance(cx, agreement, gift, paid_on, missing_agreement).await
    {
        let message = failure.for_log();
        cx.log(
            Level::Warn,
            "agreement_advance_failed",
            &[("recurringAgreementId", agreement.as_str().into()), ("message", message.into())],
        );
    }
    if cx.state.settings.gift_aid
        && let Err(failure) = gift_aid::decide(cx, gift, record, is_described).await
    {
        cx.log(Level::Warn, "gift_aid_decision_failed", &[("message", failure.for_log().into())]);
    }
}

/// Moves an agreement to the day that the payment leaves open; what was ended stays ended
async fn advance(
    cx: &RequestContext<'_>,
    id: &str,
    gift: &Gift,
    paid_on: Option<Date>,
    missing_agreement: MissingAgreement,
) -> Result<(), Error> {
    let (plural, id) = ("recurringAgreements", store::id_of(id)?);
    let agreement = match cx.call(Target::get(plural, id, &Query::default()), None).await {
        Ok(answer) => store::take_data(answer, "recurringAgreement"),
        Err(failure) if store::is_missing(&failure) => None,
        Err(failure) => return Err(failure),
    };
    let mut body = Map::new();
    match agreement {
        Some(agreement) => {
            changes(&agreement, gift, paid_on, &mut body);
            // What a provider says of an agreement has an instant, and is weighed by it elsewhere.
            if cx.priority == Priority::Webhook {
                body.remove("status");
            }
        }
        None if missing_agreement == MissingAgreement::Upsert => {
            let month = Schedule { cadence: Cadence::Monthly, interval_count: None, start: None, next_expected: None };
            let expected = gift.expected_at.as_deref().and_then(parse_date);
            let next = expected.or_else(|| next_due(&month, paid_on?));
            if let Some(next) = next {
                body.insert("nextExpectedAt".into(), format_date(next).into());
            }
            body.insert("status".into(), "active".into());
        }
        None => {}
    }
    if !body.is_empty() {
        cx.call(Target::update(plural, id), Some(body.into())).await?;
    }
    Ok(())
}

/// What a payment changes on an agreement
fn changes(agreement: &Value, gift: &Gift, paid_on: Option<Date>, body: &mut Map<String, Value>) {
    let text = |key: &str| agreement.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let date = |key: &str| parse_date(text(key)?);
    let status = text("status");
    if matches!(status, Some("canceled" | "completed")) {
        return;
    }
    let is_old = paid_on
        .zip(text("statusUpdatedAt").and_then(|at| parse_date(at.get(..10)?)))
        .is_some_and(|(paid_on, said)| paid_on < said);
    if let Some(status) = status_after_payment(status).filter(|_| !is_old) {
        body.insert("status".into(), status.into());
    }
    let next_expected = date("nextExpectedAt");
    // What the provider says goes before what the calendar says; a later day that is known already goes before both.
    let said = gift.expected_at.as_deref().and_then(parse_date);
    let cadence = text("cadence").map_or(Some(Cadence::Monthly), Cadence::read);
    let counted = cadence.zip(paid_on).and_then(|(cadence, paid_on)| {
        let interval = agreement.get("intervalCount").and_then(Value::as_f64).unwrap_or(1.0);
        // Counts past the width mean years that no calendar has.
        let interval_count = (1..=1_200_u16).find(|count| f64::from(*count) >= interval);
        next_due(&Schedule { cadence, interval_count, start: date("startDate"), next_expected }, paid_on)
    });
    if let Some(next) = said.or(counted).filter(|next| next_expected.is_none_or(|known| *next > known)) {
        body.insert("nextExpectedAt".into(), format_date(next).into());
    }
    if let Some(paid_on) = paid_on.filter(|paid_on| date("lastPaidAt").is_none_or(|last| *paid_on > last))
        && agreement.get("lastPaidAt").is_some()
    {
        body.insert("lastPaidAt".into(), format_date(paid_on).into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn changed(agreement: &Value, expected_at: Option<&str>, paid: &str) -> Value {
        let gift = Gift { expected_at: expected_at.map(Into::into), ..Gift::default() };
        let mut body = Map::new();
        changes(agreement, &gift, parse_date(paid), &mut body);
        Value::Object(body)
    }

    #[test]
    fn schedule_keeps_month_ends() {
        let quarterly = json!({ "status": "delinquent", "cadence": "quarterly", "intervalCount": 2,
            "startDate": "2025-08-31", "nextExpectedAt": "2026-02-28", "lastPaidAt": null });
        assert_eq!(
            changed(&quarterly, None, "2026-03-02"),
            json!({ "status": "active", "nextExpectedAt": "2026-08-31", "lastPaidAt": "2026-03-02" })
        );
        let plain = json!({ "status": "active", "nextExpectedAt": null });
        assert_eq!(changed(&plain, None, "2026-01-31"), json!({ "nextExpectedAt": "2026-02-28" }));
    }

    #[test]
    fn what_was_ended_is_not_revived() {
        for status in ["canceled", "completed"] {
            let ended =
                json!({ "status": status, "cadence": "monthly", "nextExpectedAt": "2026-01-01", "lastPaidAt": null });
            assert_eq!(changed(&ended, Some("2026-03-01"), "2026-02-01"), json!({}));
        }
    }

    #[test]
    fn a_second_time_changes_nothing() {
        let mut agreement = json!({ "status": "paused", "cadence": "monthly", "nextExpectedAt": "2026-01-15",
            "lastPaidAt": "2025-12-15" });
        let first = changed(&agreement, None, "2026-01-14");
        assert_eq!(first["nextExpectedAt"], "2026-02-15");
        for (key, value) in first.as_object().unwrap() {
            agreement[key] = value.clone();
        }
        assert_eq!(changed(&agreement, None, "2026-01-14"), json!({}));
    }

    #[test]
    fn provider_schedule_goes_first() {
        let monthly = json!({ "status": "active", "cadence": "monthly", "nextExpectedAt": "2026-02-15" });
        assert_eq!(changed(&monthly, Some("2026-02-20"), "2026-01-15"), json!({ "nextExpectedAt": "2026-02-20" }));
        assert_eq!(changed(&monthly, Some("2026-02-10"), "2026-01-15"), json!({}));
        let custom = json!({ "status": "active", "cadence": "custom", "nextExpectedAt": "2026-02-15" });
        assert_eq!(changed(&custom, None, "2026-02-15"), json!({}), "a cadence that is not known is not guessed");
    }
}
