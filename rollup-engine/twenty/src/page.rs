//! Reading records out of a reply in one pass, keeping only what was asked for.
//!
//! A page of 200 gifts is some 100 KB of JSON, of which a rollup needs a handful of values per record. The paths are
//! known only at run time (they stand in the definitions), so a typed struct will not do, and a tree of
//! `serde_json::Value` would cost more than the whole fold. [`Projection`] is the set of paths; [`read_records`] hands
//! `serde_json` a seed that keeps those and skips all else.

use std::fmt;

use serde::Deserializer;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::json::{self, List, Object, ReadList, ReadObject};
use crate::literal;
use crate::value::Value;

/// Most relations that a path of REST leads through: its `depth` is 0 or 1
const MAX_REST_RELATIONS: usize = 1;

/// Where a value is kept in each record
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSlot(usize);

/// The paths to keep of each record, in the order given
///
/// A path may lead through relations to one record, as `donor.name.lastName` does. Where there is no such record, or one
/// that is soft-deleted, the value is [`Value::Null`]; Twenty then gives `donorId` as null too, though it is set.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    root: Node,
    len: usize,
    depth: usize,
}

#[derive(Clone, Debug, Default)]
struct Node {
    leaf: Option<FieldSlot>,
    children: Vec<(String, Node)>,
}

impl Projection {
    /// The projection that keeps these paths, in their order
    ///
    /// # Examples
    ///
    /// ```
    /// use twenty::page::Projection;
    ///
    /// assert_eq!(Projection::of(&["amount.amountMicros", "giftDate"]).len(), 2);
    /// ```
    #[must_use]
    pub fn of(paths: &[&str]) -> Self {
        let mut projection = Self::default();
        for path in paths {
            projection.add(path);
        }
        projection
    }

    /// Adds a path, such as `giftDate` or `amount.amountMicros`, and gives where its value is kept
    ///
    /// A path that is there keeps its place.
    pub fn add(&mut self, path: &str) -> FieldSlot {
        let mut node = &mut self.root;
        for part in path.split('.') {
            let at = node.children.iter().position(|(name, _)| name == part).unwrap_or_else(|| {
                node.children.push((part.to_owned(), Node::default()));
                node.children.len() - 1
            });
            #[expect(clippy::indexing_slicing, reason = "it was found or pushed at this place")]
            let (_, child) = &mut node.children[at];
            node = child;
        }
        *node.leaf.get_or_insert_with(|| {
            self.len += 1;
            FieldSlot(self.len - 1)
        })
    }

    /// As [`Self::add`], of a path whose first parts are so many relations to one record
    ///
    /// REST has to be told, and gives what lies behind one relation, not behind several: see
    /// [`Self::is_within_rest`]. What a path goes through, [`Schema::path`](crate::schema::Schema::path) knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use twenty::page::Projection;
    ///
    /// let mut fields = Projection::default();
    /// fields.add_related("appeal.status", 1);
    /// assert!(fields.is_within_rest());
    /// fields.add_related("donor.household.name", 2);
    /// assert!(!fields.is_within_rest());
    /// ```
    pub fn add_related(&mut self, path: &str, relations: usize) -> FieldSlot {
        self.depth = self.depth.max(relations);
        self.add(path)
    }

    /// Most relations that one of the paths leads through
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Whether REST gives all of it; GraphQL gives what lies behind any number of relations
    #[must_use]
    pub fn is_within_rest(&self) -> bool {
        self.depth <= MAX_REST_RELATIONS
    }

    /// Where the values of the paths are kept, in the order given
    pub fn slots(&self) -> impl Iterator<Item = FieldSlot> + use<> {
        (0..self.len).map(FieldSlot)
    }

    /// Writes the fields as GraphQL asks for them, with the id: `{id giftDate amount{ amountMicros}}`
    pub(crate) fn write_selection(&self, out: &mut String) {
        out.push_str("{id");
        self.root.write_selection(out, true);
        out.push('}');
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

impl Node {
    fn write_selection(&self, out: &mut String, of_record: bool) {
        for (name, child) in &self.children {
            if of_record && name == "id" {
                continue;
            }
            out.push(' ');
            literal::name(out, name);
            if !child.children.is_empty() {
                out.push('{');
                child.write_selection(out, false);
                out.push('}');
            }
        }
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
    /// The value that is kept there
    #[must_use]
    pub fn value(&self, FieldSlot(place): FieldSlot) -> &Value {
        self.values.get(place).unwrap_or(&Value::Missing)
    }

    /// Keeps another value there.
    pub fn replace(&mut self, FieldSlot(place): FieldSlot, value: Value) {
        if let Some(kept) = self.values.get_mut(place) {
            *kept = value;
        }
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
    /// Whether the reply has said that there is one, or that there is none
    pub(crate) tells_next: bool,
}

impl Page {
    /// The page, if it says how many records there are and whether more follow, and the next one can be asked for
    ///
    /// A page that lost this would pass for the last one, and the records behind it for gone.
    pub(crate) fn of_list(self) -> Result<Self, PageError> {
        match &self {
            page if page.has_next_page && page.end_cursor.is_none() => Err(PageError::NoCursor),
            page if page.has_next_page && page.records.is_empty() => Err(PageError::NoHeadway),
            page if page.total_count.is_none() => Err(PageError::NoCount),
            page if !page.tells_next => Err(PageError::NoNextPage),
            _ => Ok(self),
        }
    }

    /// The page, if it is of one record, which stood at this key
    pub(crate) fn of_one(self, key: &str) -> Result<Self, PageError> {
        match self.records.len() {
            1 => Ok(self),
            found => Err(PageError::NotOne { key: key.to_owned(), found }),
        }
    }

    /// The page, if all of its records, which stood at this key, have an id
    pub(crate) fn with_ids(self, key: &str) -> Result<Self, PageError> {
        match self.records.iter().position(|record| record.id.is_nil()) {
            Some(index) => Err(PageError::NoId { key: key.to_owned(), index }),
            None => Ok(self),
        }
    }
}

/// Why a reply could not be read
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Not JSON, or JSON of another shape
    #[error("{0}")]
    Malformed(#[from] serde_json::Error),
    /// A page that does not say how many records there are
    #[error("`totalCount` is missing or no count")]
    NoCount,
    /// A page that does not say whether another one follows
    #[error("`pageInfo.hasNextPage` is missing or not true or false")]
    NoNextPage,
    /// A page with a next one that cannot be asked for
    #[error("there is a next page but no `endCursor`")]
    NoCursor,
    /// A page without records that says that more follow
    #[error("there is a next page but no record on this one")]
    NoHeadway,
    /// Not one record where one was asked for
    #[error("`data.{key}` has {found} records, expected one")]
    NotOne {
        /// Where the record stands
        key: String,
        /// How many there are
        found: usize,
    },
    /// The metadata are no list of objects with fields
    #[error("it is not a list of objects")]
    NoObjects,
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
/// # Examples
///
/// ```
/// use twenty::page::{Projection, read_records};
///
/// let mut fields = Projection::default();
/// let micros = fields.add("amount.amountMicros");
/// let body = br#"{"data":{"gifts":[{"id":"7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10","amount":{"amountMicros":5000000}}]},"totalCount":1}"#;
/// let page = read_records(body, "gifts", &fields)?;
/// assert_eq!(page.total_count, Some(1));
/// assert_eq!(page.records[0].value(micros).number().unwrap().to_string(), "5000000");
/// # Ok::<(), twenty::page::PageError>(())
/// ```
///
/// # Errors
/// If the bytes are not such a reply, or a record has no id.
pub fn read_records(body: &[u8], key: &str, projection: &Projection) -> Result<Page, PageError> {
    let mut reply = Reply { data: Data { key, projection, found: None }, page: Page::default() };
    json::read(body, Object(&mut reply))?;
    let records = reply.data.found.ok_or_else(|| PageError::NoRecords(key.to_owned()))?;
    Page { records, ..reply.page }.with_ids(key)
}

/// Reads a bare list of records: `[{…}, …]`
///
/// # Errors
/// If the bytes are not a list of objects. A record without an id is kept, with the nil id.
pub fn read_bare_records(json: &[u8], projection: &Projection) -> Result<Vec<Record>, PageError> {
    let mut records = Vec::new();
    json::read(json, Records { projection, records: &mut records })?;
    Ok(records)
}

/// A reply of REST
struct Reply<'a> {
    data: Data<'a>,
    page: Page,
}

impl<'de> ReadObject<'de> for Reply<'_> {
    const EXPECTED: &'static str = "a reply with `data`";

    fn read_entry<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        match key {
            "data" => object.next_value_seed(Object(&mut self.data)),
            _ => read_page_part(key, object, &mut self.page),
        }
    }
}

/// What a reply of REST has under `data`
struct Data<'a> {
    key: &'a str,
    projection: &'a Projection,
    found: Option<Vec<Record>>,
}

impl<'de> ReadObject<'de> for Data<'_> {
    const EXPECTED: &'static str = "an object with records";

    fn read_entry<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        if key != self.key {
            return json::skip(object);
        }
        let records = self.found.get_or_insert_default();
        object.next_value_seed(Records { projection: self.projection, records })
    }
}

/// Reads what stands beside the records of a page, under this key
fn read_page_part<'de, A: MapAccess<'de>>(key: &str, object: &mut A, page: &mut Page) -> Result<(), A::Error> {
    match key {
        "totalCount" => page.total_count = object.next_value::<serde_json::Value>()?.as_u64(),
        "pageInfo" => {
            let info: serde_json::Value = object.next_value()?;
            let has_next_page = info.get("hasNextPage").and_then(serde_json::Value::as_bool);
            page.end_cursor = info.get("endCursor").and_then(serde_json::Value::as_str).map(str::to_owned);
            page.has_next_page = has_next_page == Some(true);
            page.tells_next = has_next_page.is_some();
        }
        _ => json::skip(object)?,
    }
    Ok(())
}

/// Reads a connection: `{"totalCount":…,"pageInfo":{…},"edges":[{"node":{…}}, …]}`; with a projection its records, which
/// must be there then
pub(crate) fn read_connection<'de, D: Deserializer<'de>>(
    value: D,
    wanted: Option<&Projection>,
) -> Result<Page, D::Error> {
    let edges = wanted.map(|projection| Edges { projection, records: Vec::new() });
    let mut connection = Connection { edges, has_edges: false, page: Page::default() };
    Object(&mut connection).deserialize(value)?;
    let Some(edges) = connection.edges else { return Ok(connection.page) };
    if !connection.has_edges {
        return Err(D::Error::missing_field("edges"));
    }
    Ok(Page { records: edges.records, ..connection.page })
}

/// A page of GraphQL
struct Connection<'a> {
    /// Nothing where only the count is wanted
    edges: Option<Edges<'a>>,
    has_edges: bool,
    page: Page,
}

impl<'de> ReadObject<'de> for Connection<'_> {
    const EXPECTED: &'static str = "a connection";

    fn read_entry<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        match (key, &mut self.edges) {
            ("edges", Some(edges)) => {
                self.has_edges = true;
                object.next_value_seed(List(edges))
            }
            _ => read_page_part(key, object, &mut self.page),
        }
    }
}

/// The records of a connection, each the `node` of an edge
struct Edges<'a> {
    projection: &'a Projection,
    records: Vec<Record>,
}

impl<'de> ReadList<'de> for Edges<'_> {
    const EXPECTED: &'static str = "edges";

    fn read_item<A: SeqAccess<'de>>(&mut self, list: &mut A) -> Result<bool, A::Error> {
        Ok(list.next_element_seed(Object(self))?.is_some())
    }
}

impl<'de> ReadObject<'de> for Edges<'_> {
    const EXPECTED: &'static str = "an edge";

    fn read_entry<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        if key != "node" {
            return json::skip(object);
        }
        self.records.push(object.next_value_seed(RecordSeed(self.projection))?);
        Ok(())
    }
}

/// Seed of a list of records, or of one record in its place; adds to those that are there
pub(crate) struct Records<'a> {
    pub(crate) projection: &'a Projection,
    pub(crate) records: &'a mut Vec<Record>,
}

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records")
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        let record = RecordSeed(self.projection).deserialize(MapAccessDeserializer::new(object))?;
        self.records.push(record);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(record) = list.next_element_seed(RecordSeed(self.projection))? {
            self.records.push(record);
        }
        Ok(())
    }
}

/// Seed of one record
struct RecordSeed<'a>(&'a Projection);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_> {
    type Value = Record;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Record, D::Error> {
        let Self(projection) = self;
        let mut record = Record { id: Uuid::nil(), values: vec![Value::Missing; projection.len].into() };
        Object(&mut Fields { node: &projection.root, values: &mut record.values, id: Some(&mut record.id) })
            .deserialize(deserializer)?;
        Ok(record)
    }
}

/// The fields of a record, whose `id` is looked for, or the parts of a composite field
struct Fields<'a> {
    node: &'a Node,
    values: &'a mut [Value],
    id: Option<&'a mut Uuid>,
}

impl<'de> ReadObject<'de> for Fields<'_> {
    const EXPECTED: &'static str = "a record";

    fn read_entry<A: MapAccess<'de>>(&mut self, key: &str, object: &mut A) -> Result<(), A::Error> {
        let child = self.node.children.iter().find(|(name, _)| name == key).map(|(_, child)| child);
        let id = self.id.as_deref_mut().filter(|_| key == "id");
        if child.is_none() && id.is_none() {
            return json::skip(object);
        }
        // As it was written, so that a number loses no digit.
        let json = object.next_value::<&RawValue>()?.get();
        if let Some(id) = id {
            *id = Uuid::try_parse(json.trim_matches('"')).unwrap_or_default();
        }
        let Some(child) = child else { return Ok(()) };
        if let Some(slot) = child.leaf.and_then(|FieldSlot(place)| self.values.get_mut(place)) {
            *slot = Value::from_json_text(json);
        }
        if child.children.is_empty() {
            return Ok(());
        }
        if json == "null" {
            // A composite field that is empty as a whole: its parts are there, and empty.
            fill(child, self.values, &Value::Null);
        } else if json.starts_with('{') {
            // Composite fields are small enough to be walked over twice.
            let mut parts = Fields { node: child, values: self.values, id: None };
            json::read_text(json, Object(&mut parts)).map_err(A::Error::custom)?;
        } else if child.leaf.is_none() {
            // One record with a text for an amount is a record to report, and no reason to lose the page.
            fill(child, self.values, &Value::unreadable(json));
        }
        Ok(())
    }
}

fn fill(node: &Node, values: &mut [Value], with: &Value) {
    if let Some(slot) = node.leaf.and_then(|FieldSlot(place)| values.get_mut(place)) {
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

    #[test]
    fn page_keeps_wanted_paths() {
        let body = format!(
            r#"{{"data":{{"gifts":[{{"name":"a \"b\"","amount":{{"amountMicros":25000000,"currencyCode":"GBP"}},
            "tags":[1,{{"id":"x"}}],"id":"{ADA}","giftDate":null}}]}},"totalCount":281,
            "pageInfo":{{"endCursor":"abc=","hasNextPage":true}}}}"#
        );
        let paths = Projection::of(&["amount.amountMicros", "giftDate", "name", "renamed", "amount.currencyCode"]);
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
            read_records(body.as_bytes(), "gift", &Projection::of(&["amount.amountMicros", "amount", "id"])).unwrap();
        assert_eq!(*page.records[0].values, [Value::Null, Value::Null, Value::Text(ADA.into())]);
    }

    #[test]
    fn relation_to_nothing_has_empty_values() {
        let paths = ["donor.id", "donor.name.lastName", "donor.household.primaryContact.jobTitle"];
        let read = |donor: &str| {
            let body = format!(r#"{{"data":{{"gift":{{"id":"{ADA}","donor":{donor}}}}}}}"#);
            read_records(body.as_bytes(), "gift", &Projection::of(&paths)).unwrap().records.remove(0).values
        };
        assert_eq!(*read("null"), [Value::Null, Value::Null, Value::Null]);
        let text = |text: &str| Value::Text(text.into());
        assert_eq!(
            *read(&format!(r#"{{"id":"{ADA}","name":{{"lastName":"King"}},"household":{{"primaryContact":null}}}}"#)),
            [text(ADA), text("King"), Value::Null]
        );
    }

    #[test]
    fn malformed_replies_say_what_is_wrong() {
        let none = Projection::default();
        let error = |body: &str| read_records(body.as_bytes(), "gifts", &none).unwrap_err().to_string();
        assert_eq!(error(r#"{"data":{"people":[]}}"#), "`data.gifts` is missing");
        assert_eq!(error(r#"{"data":{"gifts":[{"id":7}]}}"#), "`data.gifts[0].id` is missing or not a UUID");
        assert_eq!(error("<html>"), "expected value at line 1 column 1");
        assert_eq!(error(r#"{"data":{"gifts":[{"id":"1"#), "EOF while parsing a string at line 1 column 26");
        assert_eq!(error(r#"{"data":{"gifts":[null]}}"#), "invalid type: null, expected a record at line 1 column 22");
    }

    #[test]
    fn deep_nesting_is_no_scalar() {
        let paths = Projection::of(&["a", "b.c"]);
        for depth in [100, 1_000_000] {
            let nested = "[".repeat(depth) + &"]".repeat(depth);
            let text = format!(r#"{{"skipped":{nested},"a":{nested},"b":{nested}}}"#);
            let records = read_bare_records(text.as_bytes(), &paths).unwrap();
            let beginning: Box<str> = nested.chars().take(200).collect();
            assert_eq!(*records[0].values, [Value::Unreadable(beginning.clone()), Value::Unreadable(beginning)]);
            assert!(read_bare_records("[".repeat(depth).as_bytes(), &paths).is_err());
        }
    }

    #[test]
    fn invalid_utf8_in_skipped_parts() {
        let error = read_bare_records(b"{\"skipped\":\"\xff\"}", &Projection::default()).unwrap_err();
        assert_eq!(error.to_string(), "invalid utf-8 sequence of 1 bytes from index 12");
    }

    /// JSON texts of records: odd spacing, escapes, doubled keys, numbers of all shapes that a double holds as written
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "null|true|false|-?[1-9][0-9]{0,9}(\\.[0-9]{1,4})?([eE][+-]?[0-3])?|-?0",
            "[\"][ !#-\\[\\]-~é→🎁]{0,6}(\\\\n|\\\\\"|\\\\u00e9|\\\\ud83c\\\\udf81)?[\"]",
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            let entry = (r#""(a|b|\\u0061|id|é)"[ \n]?:\t?"#, inner.clone()).prop_map(|(key, value)| key + &value);
            prop_oneof![
                proptest::collection::vec(inner, 0..3).prop_map(|items| format!("[{}]", items.join(" ,"))),
                proptest::collection::vec(entry, 0..5).prop_map(|entries| format!("{{{}}}", entries.join(", "))),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_kept_is_what_serde_finds(record in proptest::collection::vec(json(), 4)) {
            let text = format!(
                r#"{{"a":{}, "skipped":{}, "b":{{"\u0061":{},"c":{}}}}}"#, record[0], record[1], record[2], record[3]
            );
            let tree: serde_json::Value = serde_json::from_str(&text).unwrap();
            let records = read_bare_records(text.as_bytes(), &Projection::of(&["a", "b.a", "b.c", "d"])).unwrap();
            let kept = ["/a", "/b/a", "/b/c", "/d"].map(|at| tree.pointer(at).map_or(Value::Missing, Value::from));
            prop_assert_eq!(&*records[0].values, &kept, "{}", text);
        }

        #[test]
        fn what_serde_refuses_is_refused(text in json(), at in 0_usize..60, byte: u8) {
            let mut bytes = format!(r#"{{"data":{{"gifts":[{{"x":{text}}}]}}}}"#).into_bytes();
            if let Some(place) = bytes.get_mut(at) { *place = byte; }
            let refused = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err();
            let read = read_records(&bytes, "gifts", &Projection::of(&["x", "x.a"]));
            prop_assert!(!refused || matches!(read, Err(PageError::Malformed(_))), "{read:?}");
        }

        #[test]
        fn any_bytes_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_records(&body, "gifts", &Projection::of(&["a.b", "a"]));
        }

        #[test]
        fn cut_pages_are_refused(at in 0_usize..100, byte: u8) {
            let mut body = format!(
                r#"{{"data":{{"gifts":[{{"id":"{ADA}","amount":{{"amountMicros":1,"currencyCode":"GBP"}}}}]}},"totalCount":1}}"#
            ).into_bytes();
            if let Some(place) = body.get_mut(at) { *place = byte; }
            let _ = read_records(&body, "gifts", &Projection::of(&["amount.amountMicros", "amount.currencyCode"]));
            body.truncate(at);
            prop_assert!(read_records(&body, "gifts", &Projection::default()).is_err());
        }
    }
}
