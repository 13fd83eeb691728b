//! A few intakes of our own, so that the walk is tested where the recorded cases are absent.

use fundraising::gift::create::Intake;
use fundraising::receipt::Settings;
use fundraising::staging::State;
use serde_json::{Value, json};

use super::walk::{Outcome, Setting, take};

const NAMESAKE: &str = "namesake";

fn held(body: &Value, people: &Value) -> Outcome {
    let duplicates = json!({ "data": [{ "personDuplicates": people }] });
    let setting = Setting {
        intake: Intake::GiftRoute,
        auto_default: true,
        receipts: Settings::default(),
        duplicates: Some(&duplicates),
        new_person: Some("made"),
    };
    take(body.to_string().as_bytes(), &setting).unwrap()
}

fn by_mail(email: &str) -> Value {
    json!({
        "amount": { "amountMicros": 12_500_000, "currencyCode": "gbp" },
        "contact": { "firstName": "Mary", "lastName": "Seacole", "email": email },
        "giftDate": "2026-02-14", "intakeSource": "portal", "externalId": "row-7",
    })
}

#[test]
fn a_known_address_processes_itself() {
    let people = json!([
        { "id": NAMESAKE, "emails": { "primaryEmail": "other@crimea.example" } },
        { "id": "mary", "emails": { "primaryEmail": "Mary@crimea.example" } },
    ]);
    let outcome = held(&by_mail("mary@crimea.example"), &people);
    assert_eq!(outcome.state, State::Processing);
    assert_eq!(
        Value::Object(outcome.gift.to_record(&outcome.receipt)),
        json!({
            "amount": { "amountMicros": 12_500_000, "currencyCode": "GBP" },
            "donorId": "mary", "donorFirstName": "Mary", "donorLastName": "Seacole",
            "donorEmail": "mary@crimea.example", "giftDate": "2026-02-14", "externalId": "row-7",
            "receiptPolicyApplied": "per_gift", "receiptStatus": "pending", "receiptChannel": "email",
            "receiptDedupeKey":
                "source=portal|externalId=row-7|giftDate=2026-02-14|amountMicros=12500000|currencyCode=GBP",
        })
    );
}

#[test]
fn a_new_address_makes_a_person() {
    let outcome = held(&by_mail("mary@crimea.example"), &json!([]));
    assert_eq!(outcome.person, outcome.lookup);
    assert_eq!(outcome.gift.donor_id.as_deref(), Some("made"));
    assert_eq!(outcome.state, State::Processing);
}

#[test]
fn namesake_is_not_linked() {
    let people = json!([{ "id": NAMESAKE, "emails": { "primaryEmail": "other@crimea.example" } }]);
    let outcome = held(&by_mail("mary@crimea.example"), &people);
    assert_eq!((outcome.gift.donor_id.as_deref(), outcome.person.as_ref()), (None, None));
    assert_eq!(outcome.state, State::Pending);
    assert_eq!(outcome.raw_payload()["dedupeDiagnostics"]["candidateDonorIds"], json!([NAMESAKE]));
    assert_eq!(outcome.raw_payload()["autoProcess"], json!(false));
}

#[test]
fn gift_without_donor_waits() {
    let amount = json!({ "amountMicros": 12_500_000, "currencyCode": "GBP" });
    let outcome = held(&json!({ "amount": amount, "giftDate": "2026-02-14" }), &json!([]));
    assert_eq!(outcome.state, State::Pending);
    assert_eq!(outcome.diagnostics.blockers, ["identity_missing"]);
}
