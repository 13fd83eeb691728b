//! Companies, looked for by name.

use twenty::target::{OrderBy, Query, Target};

use super::query;
use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Field, Request, Response};

/// Companies whose name holds the words of `search`, by name; `limit` is 20, at most 100
///
/// # Errors
/// 400 for words that Twenty's filters would misread, and whatever Twenty says.
pub async fn search(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let limited = Query::default().with("limit", limit(request).to_string());
    let mut query = limited.ordered(&OrderBy::ascending("name"));
    if let Some(words) = value(request, "search") {
        query = query.filtered(&query::contains("name", words)?);
    }
    cx.pass(Target::list("companies", &query), Some(Field::List("companies"))).await
}

/// The first value of a parameter that is not blank
pub(crate) fn value<'a>(request: &'a Request<'_>, name: &str) -> Option<&'a str> {
    let values = request.query.iter().filter(|(other, _)| other == name).map(|(_, value)| value.trim());
    values.into_iter().find(|value| !value.is_empty())
}

/// From 1 to 100; what cannot be read is 20
pub(crate) fn limit(request: &Request<'_>) -> u32 {
    let number = value(request, "limit").and_then(|limit| limit.parse::<i64>().ok());
    number.filter(|number| *number > 0).map_or(20, |number| u32::try_from(number.min(100)).unwrap_or(100))
}
