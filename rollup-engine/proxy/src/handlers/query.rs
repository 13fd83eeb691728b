//! Queries on their way to Twenty.
//!
//! Twenty ignores a parameter that it does not know, and a `filter` that is given twice, and answers with everything and
//! 200. So what it would ignore is refused here.

use twenty::filter::Filter;
use twenty::target::Query;

use crate::http::shown;
use crate::request::record_id;
use fundraising::client_error::ClientError;

/// What Twenty knows of a list
const OF_LISTS: &[&str] = &["limit", "filter", "order_by", "depth", "starting_after", "ending_before"];
/// What Twenty knows of one record
const OF_RECORDS: &[&str] = &["depth"];
/// Longest word that may stand in the place of an id in a search
const MAX_WORD_LEN: usize = 36;
/// Fields that every record has a value in: ordered by another one, paging loses rows
const NEVER_EMPTY: &[&str] = &["id", "createdAt", "updatedAt", "position"];

/// The query for a list, as it goes to Twenty
///
/// # Errors
/// A parameter that Twenty does not know, one that is given twice, and what would lose rows.
pub fn list(query: &[(String, String)]) -> Result<Query, ClientError> {
    list_where(query, Vec::new())
}

/// The query for a list of records that fulfil `conditions` as well as what is asked
///
/// # Errors
/// As [`list`].
pub fn list_where(query: &[(String, String)], conditions: Vec<Filter>) -> Result<Query, ClientError> {
    check(query, OF_LISTS)?;
    let value = |name: &str| query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
    if let Some(limit) = value("limit") {
        let number: Option<u32> = limit.trim().parse().ok();
        if !number.is_some_and(|number| (1..=200).contains(&number)) {
            return Err(ClientError::bad("limit must be a whole number from 1 to 200"));
        }
    }
    if value("starting_after").is_some() || value("ending_before").is_some() {
        let mut fields = value("order_by").unwrap_or_default().split(',').map(field_of);
        if let Some(field) = fields.find(|field| !field.is_empty() && !NEVER_EMPTY.contains(field)) {
            let message = format!(
                "order_by `{field}` cannot be paged through: Twenty loses rows where a field is empty; order by id, createdAt, updatedAt or position"
            );
            return Err(ClientError::bad(message));
        }
    }
    if conditions.is_empty() {
        return Ok(passed_on(query, OF_LISTS));
    }
    let mut all = Filter::And(conditions).to_parameter();
    if let Some(asked) = value("filter").filter(|filter| !filter.is_empty()) {
        if !is_balanced(asked) {
            return Err(ClientError::bad("filter must close each bracket that it opens, and no other"));
        }
        // Before the closing bracket
        all.truncate(all.len() - 1);
        all = format!("{all},{asked})");
    }
    let rest: Vec<_> = query.iter().filter(|(name, _)| name != "filter").cloned().collect();
    Ok(passed_on(&rest, OF_LISTS).with("filter", all))
}

/// The query for one record, as it goes to Twenty
///
/// # Errors
/// A parameter that Twenty does not know, or one that is given twice.
pub fn single(query: &[(String, String)]) -> Result<Query, ClientError> {
    check(query, OF_RECORDS)?;
    Ok(passed_on(query, OF_RECORDS))
}

/// Known parameters, in the order sent
fn passed_on(query: &[(String, String)], known: &[&'static str]) -> Query {
    let mut passed = Query::default();
    for (name, value) in query {
        if let Some(name) = known.iter().find(|known| *known == name) {
            passed = passed.with(name, value);
        }
    }
    passed
}

/// The condition that a field is this record's id
///
/// # Errors
/// The text is no id.
pub fn id_is(field: &str, id: &str) -> Result<Filter, ClientError> {
    Ok(Filter::IdIs(field.to_owned(), record_id(field, id)?))
}

/// The condition that a field is the id that a caller searches for; a short word that is no id is no record's
///
/// # Errors
/// The text is neither an id nor a word.
pub fn searched_id(field: &str, id: &str) -> Result<Filter, ClientError> {
    let is_word = (1..=MAX_WORD_LEN).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    match id_is(field, id) {
        Err(_) if is_word => Ok(Filter::Empty("id".to_owned())),
        checked => checked,
    }
}

/// A name or a word that Twenty's filters and orders cannot misread
///
/// # Errors
/// It holds other characters.
pub fn plain<'a>(name: &str, value: &'a str) -> Result<&'a str, ClientError> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte)) {
        return Ok(value);
    }
    Err(ClientError::bad(format!("{name} must consist of letters, digits and any of `-_.:`")))
}

/// The condition that a field is one of these words
///
/// # Errors
/// As [`plain`].
pub fn one_of(field: &str, words: &[&str]) -> Result<Filter, ClientError> {
    for word in words {
        plain(field, word)?;
    }
    Filter::one_of(field, words.iter().copied()).map_err(|fault| ClientError::bad(format!("{field} {fault}")))
}

/// The condition that a text field holds these words somewhere
///
/// # Errors
/// Characters that Twenty's filters would misread, even between quotes.
pub fn contains(field: &str, text: &str) -> Result<Filter, ClientError> {
    let text = text.parse().map_err(|fault| ClientError::bad(format!("search {fault}")))?;
    Ok(Filter::Contains(field.to_owned(), text))
}

fn check(query: &[(String, String)], known: &[&str]) -> Result<(), ClientError> {
    for (index, (name, _)) in query.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(ClientError::bad(format!("query parameter `{}` is not known", shown(name))));
        }
        if query.iter().take(index).any(|(other, _)| other == name) {
            return Err(ClientError::bad(format!("query parameter `{name}` must not be given twice")));
        }
    }
    Ok(())
}

/// Whether each bracket closes one that was opened before: a filter that does not would be a condition beside ours
fn is_balanced(filter: &str) -> bool {
    let mut depth = 0_i64;
    for letter in filter.chars() {
        depth += i64::from(letter == '(') - i64::from(letter == ')');
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

fn field_of(order: &str) -> &str {
    order.split(['[', '.']).next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use twenty::target::Target;

    fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
        query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_twenty_knows_goes_on() {
        let query = pairs(&[("limit", "5"), ("order_by", "giftDate[DescNullsLast]"), ("depth", "0")]);
        let path = |query: Result<Query, ClientError>| Target::list("gifts", &query.unwrap()).path().to_owned();
        assert_eq!(path(list(&query)), "/gifts?limit=5&order_by=giftDate%5BDescNullsLast%5D&depth=0");
        assert_eq!(path(single(&pairs(&[("depth", "1")]))), "/gifts?depth=1");
        assert_eq!(path(list(&[])), "/gifts");
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
    fn no_paging_on_nullable_field() {
        let page = |order| list(&pairs(&[("order_by", order), ("starting_after", "c")]));
        assert!(page("giftDate[AscNullsLast]").unwrap_err().message.starts_with("order_by `giftDate` cannot be paged"));
        assert!(page("updatedAt[DescNullsLast],id").is_ok());
    }

    #[test]
    fn conditions_join_the_filter() {
        let condition = Filter::TextIs("c".into(), "x".parse().unwrap());
        let query = pairs(&[("filter", "or(a[eq]:1,b[eq]:2)"), ("limit", "5")]);
        let filter = "and(c[eq]:\"x\",or(a[eq]:1,b[eq]:2))";
        assert_eq!(
            list_where(&query, vec![condition.clone()]).unwrap(),
            Query::default().with("limit", "5").with("filter", filter)
        );
        for wider in ["a[eq]:1),or(id[is]:NOT_NULL", "(", ")("] {
            assert!(list_where(&pairs(&[("filter", wider)]), vec![condition.clone()]).is_err(), "{wider}");
        }
    }
}
