//! Writing documents and the bodies that carry them.

use serde::Serialize;

use super::groups::{Dimension, GroupQuery};
use crate::filter::Filter;
use crate::literal::{name, nested, quoted};
use crate::page::Projection;
use crate::schema::{Names, capitalised};

/// Most root fields in one document
pub const MAX_ROOTS: usize = 20;

/// `{people(first:60,after:"…",filter:{…}){totalCount pageInfo{…} edges{node{id …}}}}`
pub(crate) fn list_document(
    names: &Names,
    filter: Option<&Filter>,
    after: Option<&str>,
    limit: usize,
    keep: &Projection,
) -> String {
    let mut out = String::from("{");
    name(&mut out, &names.plural);
    // A page of none would have no cursor to go on from.
    out.push_str("(first:");
    out.push_str(&limit.max(1).to_string());
    if let Some(after) = after {
        out.push_str(",after:");
        quoted(&mut out, after);
    }
    argument(&mut out, filter);
    out.push_str("){totalCount pageInfo{hasNextPage endCursor} edges{node");
    keep.write_selection(&mut out);
    out.push_str("}}}");
    out
}

/// `{giftsGroupBy(groupBy:[{donorId:true}],limit:…,filter:{…}){groupByDimensionValues totalCount …}}`
pub(crate) fn groups_document(names: &Names, query: &GroupQuery<'_>) -> String {
    let mut out = String::from("{");
    name(&mut out, &names.plural);
    out.push_str("GroupBy(groupBy:[");
    for dimension in std::iter::once(&Dimension::Value(query.by)).chain(query.dimensions) {
        match dimension {
            Dimension::Value(path) => nested(&mut out, path, "true"),
            Dimension::Period { path, granularity, time_zone } => {
                let mut inner = format!("{{granularity:{}", granularity.as_str());
                if let Some(time_zone) = time_zone {
                    inner.push_str(",timeZone:");
                    quoted(&mut inner, time_zone);
                }
                inner.push('}');
                nested(&mut out, path, &inner);
            }
        }
        out.push(' ');
    }
    out.push_str("],limit:");
    out.push_str(&query.limit.to_string());
    argument(&mut out, query.filter);
    out.push_str("){groupByDimensionValues totalCount");
    for aggregate in query.aggregates {
        out.push(' ');
        name(&mut out, aggregate);
    }
    out.push('}');
    if query.counted {
        count(&mut out, names, query.filter);
    }
    out.push('}');
    out
}

/// `{people(first:1){totalCount} gifts(first:1){totalCount}}`
pub(crate) fn counts_document(objects: &[&Names]) -> String {
    let mut out = String::from("{");
    for names in objects {
        count(&mut out, names, None);
    }
    out.push('}');
    out
}

/// The body of an upsert: the document, and the rows as a variable
pub(crate) fn upsert_body(names: &Names, rows: &[impl Serialize], keep: &Projection) -> Vec<u8> {
    let mut document = String::from("mutation($data:[");
    name(&mut document, &capitalised(&names.singular));
    document.push_str("CreateInput!]!){");
    name(&mut document, &names.many("create"));
    document.push_str("(data:$data,upsert:true)");
    keep.write_selection(&mut document);
    document.push('}');
    to_bytes(&Body { query: &document, variables: Some(Variables { data: rows }) })
}

/// The body of a call: `{"query":"…"}`
pub(crate) fn body(document: &str) -> Vec<u8> {
    to_bytes(&Body { query: document, variables: None::<Variables<'_, ()>> })
}

#[derive(Serialize)]
struct Body<'a, R> {
    query: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variables: Option<Variables<'a, R>>,
}

#[derive(Serialize)]
struct Variables<'a, R> {
    data: &'a [R],
}

fn to_bytes(body: &Body<'_, impl Serialize>) -> Vec<u8> {
    // Texts and rows have no key that JSON cannot write.
    serde_json::to_vec(body).unwrap_or_default()
}

fn count(out: &mut String, names: &Names, filter: Option<&Filter>) {
    out.push(' ');
    name(out, &names.plural);
    out.push_str("(first:1");
    argument(out, filter);
    out.push_str("){totalCount}");
}

fn argument(out: &mut String, filter: Option<&Filter>) {
    if let Some(filter) = filter {
        out.push_str(",filter:");
        out.push_str(&filter.to_graphql());
    }
}

#[cfg(test)]
mod tests {
    use super::super::groups::Granularity;
    use super::*;
    use crate::filter::Comparator;
    use crate::value::Value;
    use ports::time::Timestamp;
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    const ADA: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);

    #[test]
    fn a_page_asks_for_the_wanted_fields_alone() {
        let keep = Projection::of(&["amount.amountMicros", "giftDate", "amount.currencyCode", "id"]);
        let names = Names::new("gift", "gifts");
        let filter = Filter::IdIn("donorId".into(), vec![ADA]);
        assert_eq!(
            list_document(&names, Some(&filter), Some("a\"="), 5_000, &keep),
            "{gifts(first:5000,after:\"a\\\"=\",filter:{donorId:{in:[\"11111111-1111-4111-8111-111111111111\" ]}})\
             {totalCount pageInfo{hasNextPage endCursor} \
             edges{node{id amount{ amountMicros currencyCode} giftDate}}}}"
        );
        assert_eq!(
            list_document(&names, None, None, 0, &Projection::default()),
            "{gifts(first:1){totalCount pageInfo{hasNextPage endCursor} edges{node{id}}}}"
        );
    }

    #[test]
    fn groups_and_counts_are_one_document_each() {
        let (gift, person) = (Names::new("gift", "gifts"), Names::new("person", "people"));
        let (filter, aggregates) = (Filter::Present("donorId".into()), ["sumAmountAmountMicros".to_owned()]);
        let query = GroupQuery {
            by: "donorId",
            dimensions: &[
                Dimension::Value("amount.currencyCode"),
                Dimension::Period { path: "giftDate", granularity: Granularity::Year, time_zone: None },
                Dimension::Period { path: "at", granularity: Granularity::Week, time_zone: Some("Europe/\"Rome") },
            ],
            filter: Some(&filter),
            aggregates: &aggregates,
            limit: 900,
            counted: true,
        };
        assert_eq!(
            groups_document(&gift, &query),
            "{giftsGroupBy(groupBy:[{donorId:true} {amount:{currencyCode:true}} {giftDate:{granularity:YEAR}} \
             {at:{granularity:WEEK,timeZone:\"Europe/\\\"Rome\"}} ],limit:900,\
             filter:{donorId:{is:NOT_NULL}}){groupByDimensionValues totalCount sumAmountAmountMicros} \
             gifts(first:1,filter:{donorId:{is:NOT_NULL}}){totalCount}}"
        );
        assert_eq!(counts_document(&[&gift, &person]), "{ gifts(first:1){totalCount} people(first:1){totalCount}}");
    }

    #[test]
    fn rows_go_as_a_variable() {
        let body =
            upsert_body(&Names::new("person", "people"), &[json!({ "id": "x" })], &Projection::of(&["createdAt"]));
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
            json!({
                "query": "mutation($data:[PersonCreateInput!]!){createPeople(data:$data,upsert:true){id createdAt}}",
                "variables": { "data": [{ "id": "x" }] }
            })
        );
    }

    #[test]
    fn what_is_no_name_cannot_leave_its_place() {
        let keep = Projection::of(&["a}} evil{x", "b"]);
        let mut out = String::new();
        keep.write_selection(&mut out);
        assert_eq!(out, "{id a___evil_x b}");
        assert_eq!(Filter::Empty("a:1}.b".into()).to_graphql(), "{a_1_:{b:{is:NULL}}}");
    }

    #[test]
    fn filters_are_written_as_objects() {
        let compare = |path: &str, comparator, value| Filter::Compare { path: path.into(), comparator, value };
        let text = |text: &str| Value::Text(text.into());
        let at = Timestamp::from_millis(1_795_382_817_641);
        for (filter, written) in [
            (Filter::Since("updatedAt".into(), at), r#"{updatedAt:{gte:"2026-11-22T21:26:57.641Z"}}"#),
            (Filter::with_deleted(), "{or:[{deletedAt:{is:NULL}} {deletedAt:{is:NOT_NULL}} ]}"),
            (Filter::And(vec![]), "{}"),
            (
                compare("amount.amountMicros", Comparator::Gte, Value::from_json_text("-2.5")),
                "{amount:{amountMicros:{gte:-2.5}}}",
            ),
            (compare("isTest", Comparator::Eq, Value::Bool(false)), "{isTest:{eq:false}}"),
            (
                Filter::Not(Box::new(compare("status", Comparator::Neq, text("say \"a\\b\"\n(ok), \u{7f}é🎁")))),
                r#"{not:{status:{neq:"say \"a\\b\"\n(ok), é🎁"}}}"#,
            ),
            (
                Filter::In { path: "a.b".into(), values: vec![text("x,y"), Value::from_json_text("7")] },
                r#"{a:{b:{in:["x,y" 7 ]}}}"#,
            ),
        ] {
            assert_eq!(filter.to_graphql(), written);
        }
    }

    proptest! {
        #[test]
        fn a_text_in_a_document_is_one_string(text in any::<String>()) {
            let mut out = String::new();
            quoted(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
