//! Reading an answer: its `errors`, and one reader for each kind of root field.

use std::time::Duration;

use ports::time::parse_date;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::groups::{Dimension, Group, GroupQuery};
use crate::json::{self, List, Object, ReadList, ReadObject, UnlessNull};
use crate::page::{Page, Projection, Records, read_connection};
use crate::schema::Names;
use crate::value::Value;

/// An answer that says that the call was not carried out, or not in whole
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// HTTP status that REST would have given it
    pub(crate) status: u16,
    /// Whether this server does not know what was asked
    pub(crate) unsupported: bool,
    /// What the server asks to wait
    pub(crate) retry_after: Option<Duration>,
    /// What Twenty said
    pub(crate) message: String,
}

impl Failure {
    /// Reads one of the `errors`.
    fn read(error: &serde_json::Value) -> Self {
        let extension = |name: &str| error.get("extensions").and_then(|extensions| extensions.get(name));
        let text = |name: &str| extension(name).and_then(serde_json::Value::as_str).unwrap_or_default();
        let message = error.get("message").and_then(serde_json::Value::as_str).unwrap_or("no message");
        let code = text("code");
        let unsupported = matches!(code, "GRAPHQL_VALIDATION_FAILED" | "GRAPHQL_PARSE_FAILED")
            || message.starts_with("Cannot query field");
        let status = match code {
            _ if text("subCode") == "LIMIT_REACHED" || message.starts_with("Limit reached") => 429,
            "RATE_LIMITED" | "QUOTA_EXHAUSTED" => 429,
            // What the database says of a value or a name, it says again.
            "INTERNAL_SERVER_ERROR" if message.starts_with("invalid input") || message.ends_with("does not exist") => {
                400
            }
            "INTERNAL_SERVER_ERROR" => 500,
            "TIMEOUT" => 504,
            "UNAUTHENTICATED" => 401,
            "FORBIDDEN" => 403,
            "NOT_FOUND" => 404,
            _ => 400,
        };
        let retry_after = extension("retryAfterMs").and_then(serde_json::Value::as_f64);
        Self {
            status,
            unsupported,
            retry_after: retry_after.and_then(|millis| Duration::try_from_secs_f64(millis / 1_000.0).ok()),
            message: message.to_owned(),
        }
    }

    /// Reads `errors`, and gives the one that decides what to do: a refusal by the limiter, then a fault of the server.
    fn worst(errors: &serde_json::Value) -> Option<Self> {
        let mut worst: Option<Self> = None;
        for error in errors.as_array()? {
            let failure = Self::read(error);
            let rank = |failure: &Self| (failure.status == 429, failure.status >= 500);
            if worst.as_ref().is_none_or(|worst| rank(&failure) > rank(worst)) {
                worst = Some(failure);
            }
        }
        worst
    }
}

/// Reads the root fields of an answer
pub(crate) trait ReadRoots {
    /// Reads the value of the root field of this name; it is not called for one that is null
    fn read_root<'de, D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error>;
}

/// Reads `{"data":{"<root>":…},"errors":[…]}` in one pass.
pub(crate) fn read_answer(body: &[u8], roots: &mut impl ReadRoots) -> Result<Option<Failure>, serde_json::Error> {
    let first = body.iter().find(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
    if first.is_some_and(|first| !matches!(first, b'{' | b'[' | b'"' | b'n')) {
        // A page of the web server, or of something in between. An empty or a null answer is one that was lost.
        let message = "the answer is not GraphQL's".to_owned();
        return Ok(Some(Failure { status: 404, unsupported: true, retry_after: None, message }));
    }
    let mut answer = Answer { roots: Roots(roots), failure: None };
    json::read(body, Object(&mut answer))?;
    Ok(answer.failure)
}

struct Answer<'a, R> {
    roots: Roots<'a, R>,
    failure: Option<Failure>,
}

impl<'de, R: ReadRoots> ReadObject<'de> for Answer<'_, R> {
    const EXPECTED: &'static str = "an answer";

    fn read_entry<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        match key {
            "data" => object.next_value_seed(UnlessNull(Object(&mut self.roots))).map(drop),
            "errors" => {
                self.failure = Failure::worst(&object.next_value()?);
                Ok(())
            }
            _ => json::skip(object),
        }
    }
}

struct Roots<'a, R>(&'a mut R);

impl<'de, R: ReadRoots> ReadObject<'de> for Roots<'_, R> {
    const EXPECTED: &'static str = "an object with the root fields";

    fn read_entry<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        object.next_value_seed(UnlessNull(Root { name: key, roots: self.0 })).map(drop)
    }
}

struct Root<'a, R> {
    name: &'a str,
    roots: &'a mut R,
}

impl<'de, R: ReadRoots> DeserializeSeed<'de> for Root<'_, R> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.roots.read_root(self.name, deserializer)
    }
}

/// Reads a page of records at one root field
pub(crate) struct PageRoot<'a> {
    name: &'a str,
    keep: &'a Projection,
    is_connection: bool,
    /// The page, if the answer has the field
    pub(crate) page: Option<Page>,
}

impl<'a> PageRoot<'a> {
    /// Of a list
    pub(crate) fn list(name: &'a str, keep: &'a Projection) -> Self {
        Self { name, keep, is_connection: true, page: None }
    }

    /// Of the records that a write answers with
    pub(crate) fn written(name: &'a str, keep: &'a Projection) -> Self {
        Self { name, keep, is_connection: false, page: None }
    }
}

impl ReadRoots for PageRoot<'_> {
    fn read_root<'de, D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        if name != self.name {
            return IgnoredAny::deserialize(value).map(drop);
        }
        self.page = Some(if self.is_connection {
            read_connection(value, Some(self.keep))?
        } else {
            let mut page = Page::default();
            Records { projection: self.keep, records: &mut page.records }.deserialize(value)?;
            page
        });
        Ok(())
    }
}

/// Reads the groups at one root field, and the count of all records at another
pub(crate) struct GroupsRoots<'a> {
    name: &'a str,
    counted: &'a str,
    query: &'a GroupQuery<'a>,
    /// The groups, if the answer has them
    pub(crate) groups: Option<Vec<Group>>,
    /// The number of records, if the answer tells it
    pub(crate) total_count: Option<u64>,
}

impl<'a> GroupsRoots<'a> {
    /// The groups at `name`, the count at `counted`
    pub(crate) fn new(name: &'a str, counted: &'a str, query: &'a GroupQuery<'a>) -> Self {
        Self { name, counted, query, groups: None, total_count: None }
    }
}

impl ReadRoots for GroupsRoots<'_> {
    fn read_root<'de, D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        if name == self.name {
            self.groups = Some(read_groups(value, self.query)?);
        } else if name == self.counted {
            self.total_count = read_connection(value, None)?.total_count;
        } else {
            IgnoredAny::deserialize(value)?;
        }
        Ok(())
    }
}

/// Reads the count of records of several objects
pub(crate) struct CountRoots<'a> {
    objects: &'a [&'a Names],
    /// In the order of the objects
    pub(crate) counts: Vec<Option<u64>>,
}

impl<'a> CountRoots<'a> {
    /// Of these objects, each at its plural
    pub(crate) fn new(objects: &'a [&'a Names]) -> Self {
        Self { objects, counts: vec![None; objects.len()] }
    }
}

impl ReadRoots for CountRoots<'_> {
    fn read_root<'de, D: Deserializer<'de>>(&mut self, name: &str, value: D) -> Result<(), D::Error> {
        let count = read_connection(value, None)?.total_count;
        let place = self.objects.iter().position(|names| names.plural == name);
        if let Some(slot) = place.and_then(|place| self.counts.get_mut(place)) {
            *slot = count;
        }
        Ok(())
    }
}

/// Reads `[{"groupByDimensionValues":[…],"totalCount":…,…}, …]`
fn read_groups<'de, D: Deserializer<'de>>(value: D, query: &GroupQuery<'_>) -> Result<Vec<Group>, D::Error> {
    let mut groups = GroupList { query, groups: Vec::new() };
    List(&mut groups).deserialize(value)?;
    Ok(groups.groups)
}

struct GroupList<'a> {
    query: &'a GroupQuery<'a>,
    groups: Vec<Group>,
}

impl<'de> ReadList<'de> for GroupList<'_> {
    const EXPECTED: &'static str = "groups";

    fn read_item<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let query = self.query;
        let values = vec![Value::Missing; query.aggregates.len()].into_boxed_slice();
        let mut parts = GroupParts { query, dimensions: Dimensions(Vec::new()), count: Value::Missing, values };
        if list.next_element_seed(Object(&mut parts))?.is_none() {
            return Ok(false);
        }
        let GroupParts { dimensions: Dimensions(mut dimensions), count, values, .. } = parts;
        // One dimension too few, or too many, and each may be another's.
        if dimensions.len() != query.dimensions.len() + 1 {
            return Err(A::Error::custom("expected a group with a value for each dimension"));
        }
        let id = dimensions.remove(0);
        // A group that is not understood must not pass for that of the children without a parent, nor for an empty one.
        let whole = |value: &Value| value.number()?.to_string().parse().ok();
        let (Some(count), true) = (whole(&count), id == Value::Null || id.id().is_some()) else {
            return Err(A::Error::custom("expected a group of a record with its count"));
        };
        // Nor may one whose currency or period is lost pass for one without.
        if query.dimensions.iter().zip(&dimensions).any(|(dimension, value)| !is_of(*dimension, value)) {
            return Err(A::Error::custom("expected a group with the value of its dimension"));
        }
        self.groups.push(Group { id: id.id(), dimensions: dimensions.into(), count, values });
        Ok(true)
    }
}

struct GroupParts<'a> {
    query: &'a GroupQuery<'a>,
    dimensions: Dimensions,
    count: Value,
    values: Box<[Value]>,
}

impl<'de> ReadObject<'de> for GroupParts<'_> {
    const EXPECTED: &'static str = "a group";

    fn read_entry<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        if key == "groupByDimensionValues" {
            return object.next_value_seed(List(&mut self.dimensions));
        }
        let value = Value::from_json_text(object.next_value::<&RawValue>()?.get());
        if key == "totalCount" {
            self.count = value.clone();
        }
        if let Some(place) = self.query.aggregates.iter().position(|aggregate| aggregate == key)
            && let Some(slot) = self.values.get_mut(place)
        {
            *slot = value;
        }
        Ok(())
    }
}

/// Whether a group may have this value in this dimension
fn is_of(dimension: Dimension<'_>, value: &Value) -> bool {
    match (dimension, value) {
        (_, Value::Null) | (Dimension::Value(_), Value::Text(_) | Value::Number(_) | Value::Bool(_)) => true,
        (Dimension::Period { .. }, Value::Text(day)) => parse_date(day).is_some(),
        _ => false,
    }
}

/// The values of a group, the record's id first
struct Dimensions(Vec<Value>);

impl<'de> ReadList<'de> for Dimensions {
    const EXPECTED: &'static str = "the values of a group";

    fn read_item<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        let Some(value) = list.next_element::<&RawValue>()? else { return Ok(false) };
        self.0.push(Value::from_json_text(value.get()));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::groups::Granularity;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use uuid::Uuid;

    const ADA: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);

    /// Of answers without any root field to read
    struct Nothing;

    impl ReadRoots for Nothing {
        fn read_root<'de, D: Deserializer<'de>>(&mut self, name: &str, _: D) -> Result<(), D::Error> {
            panic!("`{name}` is not to be read")
        }
    }

    fn failure(errors: &serde_json::Value) -> Failure {
        let body = json!({ "data": { "gifts": null }, "errors": errors }).to_string();
        read_answer(body.as_bytes(), &mut Nothing).unwrap().unwrap()
    }

    #[test]
    fn errors_in_a_200_get_the_status_of_rest() {
        let bad = |message: &str, code: &str, sub_code: &str| json!({ "message": message, "extensions": { "code": code, "subCode": sub_code } });
        for (error, status) in [
            (bad("Limit reached (100 tokens per 60000 ms)", "BAD_USER_INPUT", "LIMIT_REACHED"), 429),
            (json!({ "message": "Limit reached (100 tokens per 60000 ms)" }), 429),
            (bad("Rate limit exceeded for apiKey", "RATE_LIMITED", "RATE_LIMITED"), 429),
            (bad("Internal server error", "INTERNAL_SERVER_ERROR", ""), 500),
            (bad("column gift.amount does not exist", "INTERNAL_SERVER_ERROR", ""), 400),
            (bad("slow", "TIMEOUT", ""), 504),
            (bad("Token invalid.", "UNAUTHENTICATED", "UNAUTHENTICATED"), 401),
            (bad("This API Key is revoked", "FORBIDDEN", "FORBIDDEN_EXCEPTION"), 403),
            (bad("Record not found", "NOT_FOUND", "RECORD_NOT_FOUND"), 404),
            (bad("Invalid cursor: zzz", "BAD_USER_INPUT", "INVALID_CURSOR"), 400),
            (json!({}), 400),
        ] {
            let failure = failure(&json!([error]));
            assert_eq!((failure.status, failure.unsupported), (status, false), "{error}");
        }
        for error in [
            bad("x", "GRAPHQL_VALIDATION_FAILED", ""),
            bad("x", "GRAPHQL_PARSE_FAILED", ""),
            json!({ "message": "Cannot query field \"giftsGroupBy\" on type \"Query\"." }),
        ] {
            assert!(failure(&json!([error])).unsupported, "{error}");
        }
    }

    #[test]
    fn retryable_error_decides() {
        let error = |code: &str| json!({ "message": code, "extensions": { "code": code, "retryAfterMs": 600.5 } });
        let of = |codes: &[&str]| failure(&codes.iter().map(|code| error(code)).collect());
        assert_eq!(of(&["NOT_FOUND", "FORBIDDEN"]).message, "NOT_FOUND");
        assert_eq!(of(&["NOT_FOUND", "TIMEOUT"]).status, 504);
        let throttled = of(&["NOT_FOUND", "RATE_LIMITED", "TIMEOUT"]);
        assert_eq!((throttled.status, throttled.retry_after), (429, Some(Duration::from_micros(600_500))));
        let wild = json!([{ "extensions": { "code": "RATE_LIMITED", "retryAfterMs": -1 } }]);
        assert_eq!(failure(&wild).retry_after, None);
    }

    #[test]
    fn foreign_answer_means_no_graphql() {
        for body in ["<html>", "Not here"] {
            assert!(read_answer(body.as_bytes(), &mut Nothing).unwrap().unwrap().unsupported, "{body}");
        }
        for broken in ["", "null", "[]", "\"x\"", "{\"data\":{"] {
            assert!(read_answer(broken.as_bytes(), &mut Nothing).is_err(), "{broken}");
        }
    }

    #[test]
    fn unreadable_groups_are_refused() {
        let read = |text: &str| {
            let aggregates = ["maxGiftDate".to_owned(), "gone".to_owned()];
            let dimensions = [
                Dimension::Value("amount.currencyCode"),
                Dimension::Period { path: "giftDate", granularity: Granularity::Month, time_zone: None },
            ];
            let query = GroupQuery { dimensions: &dimensions, aggregates: &aggregates, ..GroupQuery::default() };
            read_groups(&mut serde_json::Deserializer::from_str(text), &query).map_err(|error| error.to_string())
        };
        assert_eq!(
            read(&format!(
                r#"[{{"totalCount":"2","maxGiftDate":"2026-05-10","groupByDimensionValues":["{ADA}",null,"2026-05-01"]}}]"#
            )),
            Ok(vec![Group {
                id: Some(ADA),
                dimensions: [Value::Null, Value::Text("2026-05-01".into())].into(),
                count: 2,
                values: [Value::Text("2026-05-10".into()), Value::Missing].into()
            }])
        );
        for text in [
            r#"[{"totalCount":1}]"#,
            r#"[{"totalCount":1,"groupByDimensionValues":[]}]"#,
            r#"[{"totalCount":1,"groupByDimensionValues":["GBP","GBP",null]}]"#,
            r#"[{"totalCount":1,"groupByDimensionValues":[null,"GBP"]}]"#,
            r#"[{"totalCount":1,"groupByDimensionValues":[null,"GBP",null,null]}]"#,
            r#"[{"totalCount":1,"groupByDimensionValues":[null,{},null]}]"#,
            r#"[{"totalCount":1,"groupByDimensionValues":[null,"GBP","May"]}]"#,
            r#"[{"totalCount":1,"groupByDimensionValues":[null,"GBP",2026]}]"#,
            r#"[{"groupByDimensionValues":[null,null,null]}]"#,
            r#"[{"totalCount":1.5,"groupByDimensionValues":[null,null,null]}]"#,
            r#"[{"totalCount":null,"groupByDimensionValues":[null,null,null]}]"#,
            "{}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    fn scalar() -> impl Strategy<Value = serde_json::Value> {
        prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            "[a-zé🎁\"\\\\\n, (){}\\[\\]]{0,8}".prop_map(Into::into),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn a_connection_has_what_serde_finds(
            rows in proptest::collection::vec((any::<u128>(), scalar(), scalar()), 0..6),
            total: u32, cursor in proptest::option::of("[a-z=\"]{0,5}"), more: bool, order: bool,
        ) {
            let nodes: Vec<_> = rows.iter().map(|(id, a, b)| {
                json!({ "cursor": "c", "node": { "id": Uuid::from_u128(*id | 1), "a": a, "part": { "b": b, "c": [a, b] }, "d": { "id": a } } })
            }).collect();
            let info = json!({ "endCursor": cursor, "hasNextPage": more, "startCursor": cursor });
            let mut members = [
                format!(r#""edges":{}"#, json!(nodes)), format!(r#""totalCount" : {total}"#), format!(r#""pageInfo":{info}"#),
            ];
            if order { members.reverse(); }
            let body = format!(r#"{{"data":{{"other":{{}},"gifts":{{{}}}}}, "extensions":[]}}"#, members.join(","));
            let keep = Projection::of(&["a", "part.b", "part.x"]);
            let mut root = PageRoot::list("gifts", &keep);
            let failure = read_answer(body.as_bytes(), &mut root).unwrap();
            prop_assert_eq!(failure, None);
            let page = root.page.unwrap();
            prop_assert_eq!((page.total_count, page.has_next_page), (Some(u64::from(total)), more));
            prop_assert_eq!(page.end_cursor, cursor);
            prop_assert_eq!(page.records.len(), rows.len());
            for (record, (id, a, b)) in page.records.iter().zip(&rows) {
                prop_assert_eq!(record.id, Uuid::from_u128(*id | 1));
                prop_assert_eq!(&*record.values, &[Value::from(a), Value::from(b), Value::Missing]);
            }
        }

        #[test]
        fn groups_have_what_serde_finds(rows in proptest::collection::vec((proptest::option::of(any::<u128>()), scalar(), any::<u32>(), scalar()), 0..6)) {
            let groups: Vec<_> = rows.iter().map(|(id, code, count, sum)| {
                json!({ "groupByDimensionValues": [id.map(Uuid::from_u128), code], "sumX": sum, "totalCount": count, "other": {} })
            }).collect();
            let aggregates = ["sumX".to_owned(), "totalCount".to_owned()];
            let dimensions = [Dimension::Value("x")];
            let query = GroupQuery { dimensions: &dimensions, aggregates: &aggregates, ..GroupQuery::default() };
            let body = json!(groups).to_string();
            let read = read_groups(&mut serde_json::Deserializer::from_str(&body), &query).unwrap();
            let expected: Vec<_> = rows.iter().map(|(id, code, count, sum)| Group {
                id: id.map(Uuid::from_u128),
                dimensions: [code.into()].into(),
                count: (*count).into(),
                values: [sum.into(), Value::from(&json!(count))].into(),
            }).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn any_bytes_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_answer(&body, &mut PageRoot::list("gifts", &Projection::default()));
        }
    }
}
