//! Reading records out of a reply in one pass, keeping only what was asked for.
//!
//! A page of 200 gifts is some 100 KB of JSON, of which a rollup needs a handful of values per record. The paths are
//! known only at run time (they stand in the definitions), so a typed struct will not do, and a tree of
//! `serde_json::Value` would cost more than the whole fold. [`Projection`] is the set of paths; [`read_records`] walks
//! the bytes once and skips all else.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::value::Value;

/// The paths to keep of each record, numbered in the order given
#[derive(Clone, Debug, Default)]
pub struct Projection {
    root: Node,
    len: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    leaf: Option<usize>,
    children: Vec<(String, Node)>,
}

impl Projection {
    /// Adds a path, such as `giftDate` or `amount.amountMicros`, and gives its number in [`Record::values`]
    ///
    /// A path that is there keeps its number.
    pub fn add(&mut self, path: &str) -> usize {
        let mut node = &mut self.root;
        for part in path.split('.') {
            let at = node.children.iter().position(|(name, _)| name == part).unwrap_or_else(|| {
                node.children.push((part.to_owned(), Node::default()));
                node.children.len() - 1
            });
            // `at` was found or pushed just above.
            let Some((_, child)) = node.children.get_mut(at) else { return 0 };
            node = child;
        }
        *node.leaf.get_or_insert_with(|| {
            self.len += 1;
            self.len - 1
        })
    }

    /// Number of paths
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no path was added: records then carry their id alone
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// What was kept of one record
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its id
    pub id: Uuid,
    /// One value per path of the projection, in its order
    pub values: Box<[Value]>,
}

impl Record {
    /// Value of the path that [`Projection::add`] gave this number
    #[must_use]
    pub fn value(&self, number: usize) -> &Value {
        self.values.get(number).unwrap_or(&Value::Missing)
    }
}

/// One page of a list, or the records that a write answered with
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Records, in the order of the reply
    pub records: Vec<Record>,
    /// Number of records that match the filter, over all pages
    pub total_count: Option<u64>,
    /// Where the next page starts
    pub end_cursor: Option<String>,
    /// Whether there is a next page
    pub has_next_page: bool,
}

/// Why a reply could not be read
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Not JSON, or JSON of another shape
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// The place where the records belong is not there
    #[error("`data.{0}` is missing")]
    NoRecords(String),
    /// The record at this place has no id
    #[error("`data.{key}[{index}].id` is missing or not a UUID")]
    NoId {
        /// Where the records stand
        key: String,
        /// Which of them, from 0
        index: usize,
    },
}

/// Reads a REST reply: `{"data":{"<key>":[…]},"totalCount":…,"pageInfo":{…}}`, or one record in place of the list
///
/// # Errors
/// If the bytes are not such a reply, or a record has no id.
pub fn read_records(body: &[u8], key: &str, projection: &Projection) -> Result<Page, PageError> {
    let mut page = Page::default();
    let mut found = false;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    ReplySeed { key, projection, page: &mut page, found: &mut found }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    if !found {
        return Err(PageError::NoRecords(key.to_owned()));
    }
    match page.records.iter().position(|record| record.id.is_nil()) {
        Some(index) => Err(PageError::NoId { key: key.to_owned(), index }),
        None => Ok(page),
    }
}

/// Reads a bare list of records: `[{…}, …]`
///
/// # Errors
/// If the bytes are not a list of objects. A record without an id is kept, with the nil id.
pub fn read_bare_records(json: &[u8], projection: &Projection) -> Result<Vec<Record>, PageError> {
    let mut page = Page::default();
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    RecordsSeed { projection, page: &mut page }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(page.records)
}

struct ReplySeed<'a> {
    key: &'a str,
    projection: &'a Projection,
    page: &'a mut Page,
    found: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for ReplySeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ReplySeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply with `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
            match &*name {
                "data" => map.next_value_seed(DataSeed {
                    key: self.key,
                    projection: self.projection,
                    page: self.page,
                    found: self.found,
                })?,
                "totalCount" => self.page.total_count = map.next_value::<Json>()?.as_u64(),
                "pageInfo" => {
                    let info: Json = map.next_value()?;
                    self.page.end_cursor = info.get("endCursor").and_then(Json::as_str).map(str::to_owned);
                    self.page.has_next_page = info.get("hasNextPage") == Some(&Json::Bool(true));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

struct DataSeed<'a> {
    key: &'a str,
    projection: &'a Projection,
    page: &'a mut Page,
    found: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for DataSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DataSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
            if name == self.key {
                *self.found = true;
                map.next_value_seed(RecordsSeed { projection: self.projection, page: self.page })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct RecordsSeed<'a> {
    projection: &'a Projection,
    page: &'a mut Page,
}

impl<'de> DeserializeSeed<'de> for RecordsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RecordsSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut values = vec![Value::Missing; self.projection.len];
        while let Some(id) =
            seq.next_element_seed(RecordSeed { node: &self.projection.root, values: &mut values, top: true })?
        {
            let kept = std::mem::replace(&mut values, vec![Value::Missing; self.projection.len]);
            self.page.records.push(Record { id, values: kept.into() });
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let mut values = vec![Value::Missing; self.projection.len];
        let id = RecordSeed { node: &self.projection.root, values: &mut values, top: true }.visit_map(map)?;
        self.page.records.push(Record { id, values: values.into() });
        Ok(())
    }
}

struct RecordSeed<'a> {
    node: &'a Node,
    values: &'a mut [Value],
    top: bool,
}

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Uuid;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Uuid, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_> {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    // A composite field that is empty as a whole: its parts are there, and empty.
    fn visit_unit<E: serde::de::Error>(self) -> Result<Uuid, E> {
        if self.top {
            return Err(E::custom("a record is null"));
        }
        fill(self.node, self.values, &Value::Null);
        Ok(Uuid::nil())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Uuid, A::Error> {
        let mut id = Uuid::nil();
        while let Some(Key(name)) = map.next_key::<Key<'de>>()? {
            let wanted = self.node.children.iter().find(|(child, _)| *child == name).map(|(_, child)| child);
            let is_id = self.top && name == "id";
            match wanted {
                Some(child) if child.leaf.is_some() || is_id => {
                    let raw: &RawValue = map.next_value()?;
                    if is_id {
                        id = read_id(raw);
                    }
                    keep(child, raw, self.values).map_err(A::Error::custom)?;
                }
                Some(child) => {
                    map.next_value_seed(RecordSeed { node: child, values: &mut *self.values, top: false })?;
                }
                None if is_id => id = read_id(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(id)
    }
}

/// A key, borrowed from the page where it has no escapes
struct Key<'a>(std::borrow::Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(key.into()))
            }

            fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
                Ok(Key(key.to_owned().into()))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

fn read_id(raw: &RawValue) -> Uuid {
    Uuid::try_parse(raw.get().trim_matches('"')).unwrap_or_default()
}

/// Stores a leaf; where a path also leads further down, the same text is read once more for that
fn keep(node: &Node, raw: &RawValue, values: &mut [Value]) -> Result<(), serde_json::Error> {
    if let Some(slot) = node.leaf.and_then(|leaf| values.get_mut(leaf)) {
        *slot = Value::from_json_text(raw.get());
    }
    if !node.children.is_empty() && matches!(raw.get().as_bytes().first(), Some(b'{' | b'n')) {
        let mut deserializer = serde_json::Deserializer::from_slice(raw.get().as_bytes());
        RecordSeed { node, values, top: false }.deserialize(&mut deserializer)?;
    }
    Ok(())
}

fn fill(node: &Node, values: &mut [Value], with: &Value) {
    if let Some(slot) = node.leaf.and_then(|leaf| values.get_mut(leaf)) {
        slot.clone_from(with);
    }
    for (_, child) in &node.children {
        fill(child, values, with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;
    use proptest::prelude::*;

    const ADA: &str = "11111111-1111-4111-8111-111111111111";

    fn projection(paths: &[&str]) -> Projection {
        let mut projection = Projection::default();
        for path in paths {
            projection.add(path);
        }
        projection
    }

    #[test]
    fn a_page_keeps_the_wanted_paths_and_nothing_else() {
        let body = format!(
            r#"{{"data":{{"gifts":[{{"name":"a \"b\"","amount":{{"amountMicros":25000000,"currencyCode":"GBP"}},
            "tags":[1,{{"id":"x"}}],"id":"{ADA}","giftDate":null}}]}},"totalCount":281,
            "pageInfo":{{"endCursor":"abc=","hasNextPage":true}}}}"#
        );
        let paths = projection(&["amount.amountMicros", "giftDate", "name", "renamed", "amount.currencyCode"]);
        let page = read_records(body.as_bytes(), "gifts", &paths).unwrap();
        assert_eq!((page.total_count, page.end_cursor.as_deref(), page.has_next_page), (Some(281), Some("abc="), true));
        assert_eq!(
            *page.records[0].values,
            [
                Value::Number(Decimal::from_integer(25_000_000)),
                Value::Null,
                Value::Text("a \"b\"".into()),
                Value::Missing,
                Value::Text("GBP".into())
            ]
        );
    }

    #[test]
    fn a_composite_that_is_null_has_empty_parts() {
        let body = format!(r#"{{"data":{{"gift":{{"id":"{ADA}","amount":null}}}}}}"#);
        let page =
            read_records(body.as_bytes(), "gift", &projection(&["amount.amountMicros", "amount", "id"])).unwrap();
        assert_eq!(*page.records[0].values, [Value::Null, Value::Null, Value::Text(ADA.into())]);
    }

    #[test]
    fn malformed_replies_say_what_is_wrong() {
        let none = Projection::default();
        let error = |body: &str| read_records(body.as_bytes(), "gifts", &none).unwrap_err().to_string();
        assert_eq!(error(r#"{"data":{"people":[]}}"#), "`data.gifts` is missing");
        assert_eq!(error(r#"{"data":{"gifts":[{"id":7}]}}"#), "`data.gifts[0].id` is missing or not a UUID");
        assert_eq!(error("<html>"), "expected value at line 1 column 1");
        assert!(error(r#"{"data":{"gifts":[{"id":"1"#).starts_with("EOF while parsing"));
        assert_eq!(error(r#"{"data":{"gifts":[null]}}"#), "a record is null at line 1 column 22");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_records(&body, "gifts", &projection(&["a.b", "a"]));
        }

        #[test]
        fn cut_or_bent_pages_are_refused_without_a_panic(at in 0_usize..100, byte: u8) {
            let mut body = format!(
                r#"{{"data":{{"gifts":[{{"id":"{ADA}","amount":{{"amountMicros":1,"currencyCode":"GBP"}}}}]}},"totalCount":1}}"#
            ).into_bytes();
            if let Some(place) = body.get_mut(at) { *place = byte; }
            let _ = read_records(&body, "gifts", &projection(&["amount.amountMicros", "amount.currencyCode"]));
            body.truncate(at);
            prop_assert!(read_records(&body, "gifts", &Projection::default()).is_err());
        }
    }
}
