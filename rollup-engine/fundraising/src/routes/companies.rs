//! Companies, looked for by name.

use twenty::target::{Query, Target};

use super::{Ask, Reply, having, query};
use crate::failure::Failure;
use crate::scope::Scope;

/// Companies whose name holds the words of `search`, by name; `limit` is 20, at most 100
///
/// # Errors
/// 400 for words that Twenty's filters would misread, and whatever Twenty says.
pub async fn search(scope: &Scope<'_>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    let mut query = Query::default().with("limit", limit(ask).to_string()).with("order_by", "name[AscNullsLast]");
    if let Some(words) = value(ask, "search") {
        query = query.filtered(&query::holds("name", words)?);
    }
    Ok((200, having(scope.read(Target::list("companies", &query)).await?, "companies", true, "companies array")?))
}

/// The first value of a parameter that is not blank
pub(crate) fn value<'a>(ask: &'a Ask<'_>, name: &str) -> Option<&'a str> {
    let values = ask.query.iter().filter(|(other, _)| other == name).map(|(_, value)| value.trim());
    values.into_iter().find(|value| !value.is_empty())
}

/// From 1 to 100; what cannot be read is 20
pub(crate) fn limit(ask: &Ask<'_>) -> u32 {
    let number = value(ask, "limit").and_then(|limit| limit.parse::<i64>().ok());
    number.filter(|number| *number > 0).map_or(20, |number| u32::try_from(number.min(100)).unwrap_or(100))
}
