//! Queries on their way to Twenty.
//!
//! Twenty ignores a parameter that it does not know, and a `filter` that is given twice, and answers with everything and
//! 200. So what it would ignore is refused here.

use twenty::filter::encode;

use crate::http::shown;
use crate::refusal::Refusal;

/// What Twenty knows of a list
const OF_LISTS: &[&str] = &["limit", "filter", "order_by", "depth", "starting_after", "ending_before"];
/// What Twenty knows of one record
const OF_RECORDS: &[&str] = &["depth"];
/// Fields that every record has a value in: ordered by another one, paging loses rows
const NEVER_EMPTY: &[&str] = &["id", "createdAt", "updatedAt", "position"];

/// The query for a list, as it goes to Twenty
///
/// # Errors
/// A parameter that Twenty does not know, one that is given twice, and what would lose rows.
pub fn list(query: &[(String, String)]) -> Result<String, Refusal> {
    list_where(query, &[])
}

/// The query for a list of records that fulfil `conditions` as well as what is asked
///
/// # Errors
/// As [`list`].
pub fn list_where(query: &[(String, String)], conditions: &[String]) -> Result<String, Refusal> {
    check(query, OF_LISTS)?;
    let value = |name: &str| query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    if let Some(limit) = value("limit") {
        let number: Option<u32> = limit.trim().parse().ok();
        if !number.is_some_and(|number| (1..=200).contains(&number)) {
            return Err(Refusal::bad("limit must be a whole number from 1 to 200"));
        }
    }
    if value("starting_after").is_some() || value("ending_before").is_some() {
        let mut fields = value("order_by").unwrap_or_default().split(',').map(field_of);
        if let Some(field) = fields.find(|field| !field.is_empty() && !NEVER_EMPTY.contains(field)) {
            let message = format!(
                "order_by `{field}` cannot be paged through: Twenty loses rows where a field is empty; order by id, createdAt, updatedAt or position"
            );
            return Err(Refusal::bad(message));
        }
    }
    let mut text = String::new();
    for (name, value) in query {
        if name == "filter" && !conditions.is_empty() {
            continue;
        }
        push(&mut text, name, value);
    }
    if !conditions.is_empty() {
        let mut all = String::from("and(");
        let asked = value("filter").filter(|filter| !filter.is_empty());
        for (index, condition) in conditions.iter().map(String::as_str).chain(asked).enumerate() {
            all.push_str(if index > 0 { "," } else { "" });
            all.push_str(condition);
        }
        all.push(')');
        push(&mut text, "filter", &all);
    }
    Ok(text)
}

/// The query for one record, as it goes to Twenty
///
/// # Errors
/// A parameter that Twenty does not know, or one that is given twice.
pub fn single(query: &[(String, String)]) -> Result<String, Refusal> {
    check(query, OF_RECORDS)?;
    let mut text = String::new();
    for (name, value) in query {
        push(&mut text, name, value);
    }
    Ok(text)
}

/// A path with a query, which may be empty
#[must_use]
pub fn with(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A value that Twenty's filters cannot misread
///
/// # Errors
/// It holds other characters.
pub fn plain<'a>(name: &str, value: &'a str) -> Result<&'a str, Refusal> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte)) {
        return Ok(value);
    }
    Err(Refusal::bad(format!("{name} must consist of letters, digits and any of `-_.:`")))
}

/// The condition that a text field holds these words somewhere
///
/// # Errors
/// Characters that Twenty's filters would misread, even between quotes.
pub fn holds(field: &str, text: &str) -> Result<String, Refusal> {
    if text.bytes().any(|byte| b"\"'()[],\\%".contains(&byte)) {
        let message = "search must not contain quotes, brackets, commas, backslashes or per cent signs";
        return Err(Refusal::bad(message));
    }
    Ok(format!("{field}[ilike]:\"%{text}%\""))
}

fn check(query: &[(String, String)], known: &[&str]) -> Result<(), Refusal> {
    for (index, (name, _)) in query.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(Refusal::bad(format!("query parameter `{}` is not known", shown(name))));
        }
        if query.iter().take(index).any(|(other, _)| other == name) {
            return Err(Refusal::bad(format!("query parameter `{name}` must not be given twice")));
        }
    }
    Ok(())
}

fn field_of(order: &str) -> &str {
    order.split(['[', '.']).next().unwrap_or_default().trim()
}

fn push(text: &mut String, name: &str, value: &str) {
    if !text.is_empty() {
        text.push('&');
    }
    text.push_str(name);
    text.push('=');
    text.push_str(&encode(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
        query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_twenty_knows_goes_on() {
        let query = pairs(&[("limit", "5"), ("order_by", "giftDate[DescNullsLast]"), ("depth", "0")]);
        assert_eq!(list(&query).unwrap(), "limit=5&order_by=giftDate%5BDescNullsLast%5D&depth=0");
        assert_eq!(single(&pairs(&[("depth", "1")])).unwrap(), "depth=1");
        assert_eq!((list(&[]).unwrap(), with("/gifts", "")), (String::new(), "/gifts".to_owned()));
    }

    #[test]
    fn what_twenty_would_ignore_is_refused() {
        for (query, message) in [
            (&[("status", "x")][..], "query parameter `status` is not known"),
            (&[("filter", "a"), ("filter", "b")], "query parameter `filter` must not be given twice"),
            (&[("limit", "0")], "limit must be a whole number from 1 to 200"),
            (&[("limit", "201")], "limit must be a whole number from 1 to 200"),
        ] {
            assert_eq!(list(&pairs(query)).unwrap_err().message, message);
        }
        assert!(single(&pairs(&[("filter", "a")])).is_err());
    }

    #[test]
    fn nobody_pages_on_a_field_that_may_be_empty() {
        let page = |order| list(&pairs(&[("order_by", order), ("starting_after", "c")]));
        assert!(page("giftDate[AscNullsLast]").unwrap_err().message.starts_with("order_by `giftDate` cannot be paged"));
        assert!(page("updatedAt[DescNullsLast],id").is_ok());
    }

    #[test]
    fn conditions_and_the_callers_filter_are_one_filter() {
        let text =
            list_where(&pairs(&[("filter", "or(a[eq]:1,b[eq]:2)"), ("limit", "5")]), &["c[eq]:\"x\"".into()]).unwrap();
        assert_eq!(text, format!("limit=5&filter={}", encode("and(c[eq]:\"x\",or(a[eq]:1,b[eq]:2))")));
    }
}
