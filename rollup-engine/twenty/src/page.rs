//! Reading records out of a reply in one pass, keeping only what was asked for.
//!
//! A page of 200 gifts is some 100 KB of JSON, of which a rollup needs a handful of values per record. The paths are
//! known only at run time (they stand in the definitions), so a typed struct will not do, and a tree of
//! `serde_json::Value` would cost more than the whole fold. [`Projection`] is the set of paths; [`read_records`] walks
//! the bytes and skips all else.

use uuid::Uuid;

use crate::graphql;
use crate::scan::{Malformed, Scanner};
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
            graphql::name(out, name);
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
    Malformed(#[from] Malformed),
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
/// # Errors
/// If the bytes are not such a reply, or a record has no id.
pub fn read_records(body: &[u8], key: &str, projection: &Projection) -> Result<Page, PageError> {
    let page = read_reply(&mut Scanner::new(body)?, key, projection)?;
    page.ok_or_else(|| PageError::NoRecords(key.to_owned()))?.with_ids(key)
}

/// Reads a bare list of records: `[{…}, …]`
///
/// # Errors
/// If the bytes are not a list of objects. A record without an id is kept, with the nil id.
pub fn read_bare_records(json: &[u8], projection: &Projection) -> Result<Vec<Record>, PageError> {
    let mut scanner = Scanner::new(json)?;
    let mut records = Vec::new();
    read_list(&mut scanner, projection, &mut records)?;
    scanner.end()?;
    Ok(records)
}

fn read_reply(scanner: &mut Scanner<'_>, key: &str, projection: &Projection) -> Result<Option<Page>, Malformed> {
    let mut page = Page::default();
    let mut found = false;
    scanner.enter(b'{', "a reply with `data`")?;
    let mut first = true;
    while let Some(name) = scanner.next_key(&mut first)? {
        match &*name {
            "data" => {
                scanner.enter(b'{', "an object with records")?;
                let mut first = true;
                while let Some(name) = scanner.next_key(&mut first)? {
                    if name == key {
                        found = true;
                        read_list(scanner, projection, &mut page.records)?;
                    } else {
                        scanner.value()?;
                    }
                }
            }
            _ => read_page_part(scanner, &name, &mut page)?,
        }
    }
    scanner.end()?;
    Ok(found.then_some(page))
}

/// Reads what stands beside the records of a page, under this key
fn read_page_part(scanner: &mut Scanner<'_>, name: &str, page: &mut Page) -> Result<(), Malformed> {
    match name {
        "totalCount" => page.total_count = scanner.value()?.parse().ok(),
        "pageInfo" if scanner.peek() == Some(b'{') => {
            scanner.enter(b'{', "an object")?;
            let mut first = true;
            while let Some(name) = scanner.next_key(&mut first)? {
                let value = Value::from_json_text(scanner.value()?);
                match &*name {
                    "endCursor" => page.end_cursor = value.text().map(str::to_owned),
                    "hasNextPage" => {
                        page.has_next_page = value == Value::Bool(true);
                        page.tells_next = matches!(value, Value::Bool(_));
                    }
                    _ => {}
                }
            }
        }
        _ => {
            scanner.value()?;
        }
    }
    Ok(())
}

/// Reads a connection: `{"totalCount":…,"pageInfo":{…},"edges":[{"node":{…}}, …]}`; with a projection its records, which
/// must be there then
pub(crate) fn read_connection(scanner: &mut Scanner<'_>, wanted: Option<&Projection>) -> Result<Page, Malformed> {
    let mut page = Page::default();
    let mut found = wanted.is_none();
    scanner.enter(b'{', "a connection")?;
    let mut first = true;
    while let Some(name) = scanner.next_key(&mut first)? {
        let (Some(projection), "edges") = (wanted, &*name) else {
            read_page_part(scanner, &name, &mut page)?;
            continue;
        };
        found = true;
        scanner.enter(b'[', "edges")?;
        let mut first = true;
        while scanner.next(b']', &mut first)? {
            scanner.enter(b'{', "an edge")?;
            let mut first = true;
            while let Some(name) = scanner.next_key(&mut first)? {
                if name == "node" {
                    page.records.push(read_record(scanner, projection)?);
                } else {
                    scanner.value()?;
                }
            }
        }
    }
    if found { Ok(page) } else { Err(scanner.expected("`edges` before this place")) }
}

/// Reads a list of records, or one record in its place
pub(crate) fn read_list(
    scanner: &mut Scanner<'_>,
    projection: &Projection,
    records: &mut Vec<Record>,
) -> Result<(), Malformed> {
    if scanner.peek() == Some(b'{') {
        records.push(read_record(scanner, projection)?);
        return Ok(());
    }
    scanner.enter(b'[', "records")?;
    let mut first = true;
    while scanner.next(b']', &mut first)? {
        records.push(read_record(scanner, projection)?);
    }
    Ok(())
}

fn read_record(scanner: &mut Scanner<'_>, projection: &Projection) -> Result<Record, Malformed> {
    let mut record = Record { id: Uuid::nil(), values: vec![Value::Missing; projection.len].into() };
    read_part(scanner, &projection.root, &mut record.values, Some(&mut record.id))?;
    Ok(record)
}

/// Reads an object: a record, whose `id` is looked for, or a composite field of one
fn read_part(
    scanner: &mut Scanner<'_>,
    node: &Node,
    values: &mut [Value],
    mut id: Option<&mut Uuid>,
) -> Result<(), Malformed> {
    scanner.enter(b'{', if id.is_some() { "a record" } else { "an object" })?;
    let mut first = true;
    while let Some(name) = scanner.next_key(&mut first)? {
        let value = scanner.value()?;
        if let Some(id) = id.as_deref_mut().filter(|_| name == "id") {
            *id = Uuid::try_parse(value.trim_matches('"')).unwrap_or_default();
        }
        let Some((_, child)) = node.children.iter().find(|(child, _)| *child == name) else { continue };
        if let Some(slot) = child.leaf.and_then(|leaf| values.get_mut(leaf)) {
            *slot = Value::from_json_text(value);
        }
        if child.children.is_empty() {
            continue;
        }
        if value == "null" {
            // A composite field that is empty as a whole: its parts are there, and empty.
            fill(child, values, &Value::Null);
        } else if value.starts_with('{') {
            // Composite fields are small; the second walk over them spares a second way through this function.
            scanner.back(value);
            read_part(scanner, child, values, None)?;
        } else if child.leaf.is_none() {
            // One record with a text for an amount is a record to report, and no reason to lose the page.
            fill(child, values, &Value::unreadable(value));
        }
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
        assert_eq!(error("<html>"), "expected a reply with `data` at byte 0");
        assert_eq!(error(r#"{"data":{"gifts":[{"id":"1"#), "expected a closing quote at byte 26, where the text ends");
        assert_eq!(error(r#"{"data":{"gifts":[null]}}"#), "expected a record at byte 18");
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
            let records = read_bare_records(text.as_bytes(), &projection(&["a", "b.a", "b.c", "d"])).unwrap();
            let kept = ["/a", "/b/a", "/b/c", "/d"].map(|at| tree.pointer(at).map_or(Value::Missing, Value::from));
            prop_assert_eq!(&*records[0].values, &kept, "{}", text);
        }

        #[test]
        fn what_serde_refuses_is_refused(text in json(), at in 0_usize..60, byte: u8) {
            let mut bytes = format!(r#"{{"data":{{"gifts":[{{"x":{text}}}]}}}}"#).into_bytes();
            if let Some(place) = bytes.get_mut(at) { *place = byte; }
            let refused = serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err();
            let read = read_records(&bytes, "gifts", &projection(&["x", "x.a"]));
            prop_assert!(!refused || matches!(read, Err(PageError::Malformed(_))), "{read:?}");
        }

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
