//! `donor,gift_date,amount,currency` becomes people and gifts, the same ones each time.

use sandbox::Sandbox;
use serde_json::json;

use crate::scene::START;

const CSV: &str = "donor,gift_date,amount,currency\n00004,1997-01-01,29.33,USD\n00004,1997-01-18,0.00,USD\n00018,1997-01-04,14.96,EUR\n";

#[test]
fn gifts_are_loaded_from_csv() {
    let load = || {
        let mut sandbox = Sandbox::default();
        assert_eq!(sandbox.load_gifts_csv(CSV.as_bytes(), START), Ok(3));
        sandbox
    };
    let sandbox = load();
    let people = sandbox.records("person");
    let ada = people.iter().find(|person| person["emails"]["primaryEmail"] == "donor-00004@example.org").unwrap();
    let gifts = sandbox.records("gift");
    let of_ada: Vec<_> = gifts.iter().filter(|gift| gift["donorId"] == ada["id"]).collect();
    assert_eq!((people.len(), of_ada.len()), (2, 2));
    assert!(of_ada.iter().any(|gift| gift["amount"] == json!({"amountMicros": 29_330_000, "currencyCode": "USD"})));
    assert_eq!(load().ids("gift"), sandbox.ids("gift"));
}

#[test]
fn a_bad_line_is_named() {
    for (line, message) in [
        ("1,1997-13-01,1.00,USD", "gifts, line 3: gift_date `1997-13-01`: expected YYYY-MM-DD"),
        ("1,1997-12-01,much,USD", "gifts, line 3: amount `much`: expected a decimal number"),
    ] {
        let csv = format!("donor,gift_date,amount,currency\n1,1997-01-01,1.00,USD\n{line}\n");
        let error = Sandbox::default().load_gifts_csv(csv.as_bytes(), START).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

/// A file of other columns, an empty one and what is no file are told from one without gifts.
#[test]
fn columns_are_named() {
    let error = |csv: &[u8]| Sandbox::default().load_gifts_csv(csv, START).unwrap_err().to_string();
    let expected = "gifts, line 1: expected the names of the columns donor,gift_date,amount,currency, and";
    assert_eq!(
        error(b"donor,date,amount,currency\n1,1997-01-01,1,USD\n"),
        format!("{expected} gift_date is not there")
    );
    assert_eq!(error(b""), format!("{expected} donor,gift_date,amount,currency is not there"));
    assert!(error(&[0xff, 0xfe, b'a']).starts_with("gifts, line 1: "));
    assert_eq!(Sandbox::default().load_gifts_csv("currency,amount,gift_date,donor\n".as_bytes(), START), Ok(0));
}

#[test]
fn a_fixture_brings_schema_and_rows() {
    let fixture = json!({
        "schema": {"objects": [
            {"nameSingular": "person", "namePlural": "people", "standard": true, "fields": []},
            {"nameSingular": "pledge", "namePlural": "pledges", "labelSingular": "Pledge", "labelPlural": "Pledges", "fields": [
                {"type": "CURRENCY", "name": "amount", "label": "Amount"},
                {"type": "RELATION", "name": "donor", "label": "Donor", "relation": {"type": "MANY_TO_ONE", "target": "person", "targetFieldLabel": "Pledges"}},
            ]},
        ]},
        "loadOrder": ["person", "pledge"],
        "datasets": {
            "base": {"rows": {"person": [{"id": "1bac490f-7c2b-451b-b6fa-ef83bc856962"}]}},
            "more": {"extends": "base", "rows": {"pledge": [
                {"id": "0471aa3d-66f1-4937-a1a2-0ef1c23d1955", "donorId": "1bac490f-7c2b-451b-b6fa-ef83bc856962"},
            ]}, "softDeleted": {"pledge": ["0471aa3d-66f1-4937-a1a2-0ef1c23d1955"]}},
        },
    });
    let mut sandbox = Sandbox::default();
    sandbox.load_fixture(&fixture.to_string(), Some("more"), START).unwrap();
    assert_eq!((sandbox.ids("pledge").len(), sandbox.count("pledge"), sandbox.count("person")), (1, 0, 1));
    assert!(sandbox.load_fixture("{", None, START).is_err());
}
