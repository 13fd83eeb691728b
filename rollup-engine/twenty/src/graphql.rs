//! GraphQL documents and what comes back.
//!
//! One document reads more than REST allows: pages without a maximum, groups, counts of several objects; and a write
//! answers with the fields asked for alone. The price is that every error comes as HTTP 200, the rate limit included, and
//! that a field that does not exist reads as null. So an answer is judged by its `errors` before its status, and read in
//! one pass like a page of REST.
//!
//! Each root field is one token for the rate limiter, and may stand once in a document.

use std::fmt::Write as _;
use std::time::Duration;

use uuid::Uuid;

use crate::filter::Filter;
use crate::page::{Page, Projection, read_list};
use crate::scan::{Malformed, Scanner};
use crate::schema::{Names, capitalised};
use crate::value::Value;

/// Most root fields in one document
pub const MOST_ROOTS: usize = 20;

/// Which children to group, and what to add up
#[derive(Clone, Debug, Default)]
pub struct GroupQuery<'a> {
    /// Field of the record: `donorId`
    pub by: &'a str,
    /// Path of the currency code as a second dimension: `amount.currencyCode`
    pub code: Option<&'a str>,
    /// Which children
    pub filter: Option<&'a Filter>,
    /// Such as `sumAmountAmountMicros`, `minGiftDate`; one that does not exist reads as null
    pub aggregates: &'a [String],
    /// Groups at most: Twenty leaves the others out without a word
    pub limit: usize,
    /// Whether to ask for the count of all records that match as well, which costs a token more
    pub counted: bool,
}

/// The children of one record, or of one record in one currency
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The record; none for children of nobody, and for those of a deleted record
    pub id: Option<Uuid>,
    /// The second dimension's value, missing if there is none
    pub code: Value,
    /// Number of children
    pub count: u64,
    /// In the order of the aggregates; sums and averages are doubles, and rounded past 2^53
    pub values: Box<[Value]>,
}

/// All groups of a query
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// In the order of the reply
    pub groups: Vec<Group>,
    /// Number of children over all groups, also those past the limit, if it was asked for
    pub total_count: Option<u64>,
}

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
    fn worst(errors: &str) -> Option<Self> {
        let errors: serde_json::Value = serde_json::from_slice(errors.as_bytes()).ok()?;
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

/// What reads one root field of an answer, named by its key; it may be called again for the answer to a repetition, and
/// is not called for one that is null
pub(crate) type ReadRoot<'r> = &'r mut dyn FnMut(&str, &mut Scanner<'_>) -> Result<(), Malformed>;

/// Reads `{"data":{"<root>":…},"errors":[…]}` in one pass.
pub(crate) fn read_answer(body: &[u8], root: ReadRoot<'_>) -> Result<Option<Failure>, Malformed> {
    let mut scanner = Scanner::new(body)?;
    let mut failure = None;
    if scanner.peek() != Some(b'{') {
        // A page of the web server, or of something in between.
        let message = "the answer is not GraphQL's".to_owned();
        return Ok(Some(Failure { status: 404, unsupported: true, retry_after: None, message }));
    }
    scanner.enter(b'{', "an answer")?;
    let mut first = true;
    while let Some(name) = scanner.next_key(&mut first)? {
        if name == "data" && scanner.peek() == Some(b'{') {
            scanner.enter(b'{', "an object")?;
            let mut first = true;
            while let Some(name) = scanner.next_key(&mut first)? {
                if scanner.peek() == Some(b'n') {
                    scanner.value()?;
                } else {
                    root(&name, &mut scanner)?;
                }
            }
        } else {
            let value = scanner.value()?;
            if name == "errors" {
                failure = Failure::worst(value);
            }
        }
    }
    scanner.end()?;
    Ok(failure)
}

/// Reads `[{"groupByDimensionValues":[…],"totalCount":…,…}, …]`
pub(crate) fn read_groups(scanner: &mut Scanner<'_>, query: &GroupQuery<'_>) -> Result<Vec<Group>, Malformed> {
    let mut groups = Vec::new();
    scanner.enter(b'[', "groups")?;
    let mut first = true;
    while scanner.next(b']', &mut first)? {
        groups.push(read_group(scanner, query)?);
    }
    Ok(groups)
}

fn read_group(scanner: &mut Scanner<'_>, query: &GroupQuery<'_>) -> Result<Group, Malformed> {
    let mut values = vec![Value::Missing; query.aggregates.len()].into_boxed_slice();
    let (mut id, mut code, mut count) = (Value::Missing, Value::Missing, Value::Missing);
    scanner.enter(b'{', "a group")?;
    let mut first = true;
    while let Some(name) = scanner.next_key(&mut first)? {
        if name == "groupByDimensionValues" {
            scanner.enter(b'[', "the values of a group")?;
            let (mut first, mut place) = (true, 0);
            while scanner.next(b']', &mut first)? {
                let value = Value::from_json_text(scanner.value()?);
                match place {
                    0 => id = value,
                    1 => code = value,
                    _ => {}
                }
                place += 1;
            }
            continue;
        }
        let value = Value::from_json_text(scanner.value()?);
        if name == "totalCount" {
            count = value.clone();
        }
        if let Some(place) = query.aggregates.iter().position(|aggregate| *aggregate == name)
            && let Some(slot) = values.get_mut(place)
        {
            *slot = value;
        }
    }
    // A group that is not understood must not pass for the group of nobody, nor for one without children.
    let whole = |value: &Value| value.number()?.to_string().parse().ok();
    let (Some(count), true) = (whole(&count), id == Value::Null || id.id().is_some()) else {
        return Err(scanner.expected("a group of a record with its count before this place"));
    };
    Ok(Group { id: id.id(), code, count, values })
}

/// Reads the records that a write answers with.
pub(crate) fn read_written(scanner: &mut Scanner<'_>, keep: &Projection) -> Result<Page, Malformed> {
    let mut page = Page::default();
    read_list(scanner, keep, &mut page.records)?;
    Ok(page)
}

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
    for path in [Some(query.by), query.code].into_iter().flatten() {
        nested(&mut out, path, "true");
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
pub(crate) fn upsert_body(names: &Names, rows: &[u8], keep: &Projection) -> Vec<u8> {
    let mut document = String::from("mutation($data:[");
    name(&mut document, &capitalised(&names.singular));
    document.push_str("CreateInput!]!){");
    name(&mut document, &names.many("create"));
    document.push_str("(data:$data,upsert:true)");
    keep.write_selection(&mut document);
    document.push('}');
    let mut body = body(&document);
    body.pop();
    body.extend_from_slice(b",\"variables\":{\"data\":");
    body.extend_from_slice(rows);
    body.extend_from_slice(b"}}");
    body
}

/// The body of a call: `{"query":"…"}`
pub(crate) fn body(document: &str) -> Vec<u8> {
    let mut body = String::with_capacity(document.len() + 32);
    body.push_str("{\"query\":");
    quoted(&mut body, document);
    body.push('}');
    body.into_bytes()
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

/// Writes an object around a value: `amount.amountMicros` and `true` become `{amount:{amountMicros:true}}`
pub(crate) fn nested(out: &mut String, path: &str, inner: &str) {
    let mut depth = 0;
    for part in path.split('.') {
        out.push('{');
        name(out, part);
        out.push(':');
        depth += 1;
    }
    out.push_str(inner);
    for _ in 0..depth {
        out.push('}');
    }
}

/// Writes a name. What cannot be in one becomes an underscore: it names nothing then, rather than something else.
pub(crate) fn name(out: &mut String, name: &str) {
    for letter in name.chars() {
        out.push(if letter.is_ascii_alphanumeric() { letter } else { '_' });
    }
}

/// Writes a value as a literal.
pub(crate) fn literal(out: &mut String, value: &Value) {
    match value {
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Text(text) => quoted(out, text),
        Value::Missing | Value::Null | Value::Unknown | Value::Unreadable => out.push_str("null"),
    }
}

/// Writes a text as JSON does, which GraphQL reads alike
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            '\u{0}'..='\u{1f}' | '\u{7f}' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
}
