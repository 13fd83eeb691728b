//! Opportunities, looked for and moved on.

use serde_json::Map;
use twenty::filter::Filter;
use twenty::target::{OrderBy, Query, Target};

use super::companies::{limit, value};
use super::people::text;
use super::query;
use crate::context::RequestContext;
use crate::error::Error;
use crate::request::{Field, Request, Response};
use fundraising::client_error::ClientError;
use fundraising::gift::plausible;

const PLURAL: &str = "opportunities";

/// Opportunities by name, company, contact, stage and type; `orderBy` is a field, with `-` for the other way round
///
/// # Errors
/// 400 for values that Twenty's filters would misread, and whatever Twenty says.
pub async fn search(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    let target = Target::list(PLURAL, &search_query(request)?);
    cx.pass(target, Some(Field::List("opportunities"))).await
}

fn search_query(request: &Request<'_>) -> Result<Query, ClientError> {
    let asked = value(request, "orderBy").unwrap_or("-updatedAt");
    let order = match asked.strip_prefix('-') {
        Some(field) => OrderBy::descending(query::plain("orderBy", field)?.to_owned()),
        None => OrderBy::ascending(query::plain("orderBy", asked)?.to_owned()),
    };
    let mut conditions: Vec<Filter> = Vec::new();
    if let Some(words) = value(request, "search") {
        conditions.push(query::contains("name", words)?);
    }
    for field in ["companyId", "pointOfContactId"] {
        if let Some(id) = value(request, field) {
            conditions.push(query::searched_id(field, id)?);
        }
    }
    for (field, several) in [("stage", "stages"), ("opportunityType", "opportunityTypes")] {
        let mut words: Vec<&str> = Vec::new();
        for (name, list) in &request.query {
            if name == field || name == several {
                words.extend(list.split(',').map(str::trim).filter(|word| !word.is_empty()));
            }
        }
        if !words.is_empty() {
            conditions.push(query::one_of(field, &words)?);
        }
    }
    let query = Query::default().with("limit", limit(request).to_string()).ordered(&order);
    Ok(if conditions.is_empty() { query } else { query.filtered(&Filter::And(conditions)) })
}

/// Sets stage and closing date.
///
/// # Errors
/// 400 for a blank id and for a body with neither, and whatever Twenty says.
pub async fn update(cx: &RequestContext<'_>, request: &Request<'_>) -> Result<Response, Error> {
    request.present_id(0, "opportunityId")?;
    let body = request.object("payload must be an object")?;
    let mut changes = Map::new();
    if let Some(stage) = text(body.get("stage")) {
        changes.insert("stage".into(), stage.to_ascii_uppercase().into());
    }
    if let Some(date) = text(body.get("closeDate")) {
        changes.insert("closeDate".into(), date.into());
        plausible::days(&changes, cx.now())?;
    }
    if changes.is_empty() {
        return Err(ClientError::bad("No supported fields provided for opportunity update").into());
    }
    let target = Target::update(PLURAL, request.record_id(0, "opportunityId")?);
    Ok(Response::json(200, cx.call(target, Some(changes.into())).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Inbound;
    use twenty::filter::encode;

    fn path(target: &str) -> Result<String, String> {
        let inbound = Inbound { target: target.into(), ..Inbound::default() };
        let request = Request { inbound: &inbound, ids: Vec::new(), query: inbound.query() };
        let query = search_query(&request).map_err(|refusal| refusal.message)?;
        Ok(Target::list(PLURAL, &query).path().to_owned())
    }

    #[test]
    fn a_search_is_one_filter_that_twenty_knows() {
        let filter = "and(name[ilike]:\"%grant%\",companyId[eq]:\"7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10\",stage[in]:[NEW,MEETING,WON],opportunityType[in]:[legacy])";
        let expected =
            format!("/opportunities?limit=7&order_by={}&filter={}", encode("closeDate[AscNullsLast]"), encode(filter));
        let target = "?search=grant&companyId=7F0B4A52-6a1c-4e0b-9d55-3a1f1d0c9a10&stage=NEW,MEETING&stages=WON&opportunityType=legacy&limit=7&orderBy=closeDate";
        assert_eq!(path(target).unwrap(), expected);
        let default = format!("/opportunities?limit=20&order_by={}", encode("updatedAt[DescNullsLast]"));
        assert_eq!(path("?limit=-3").unwrap(), default);
        assert_eq!(path("").unwrap(), default);
    }

    #[test]
    fn what_would_be_misread_is_refused() {
        for target in [
            "?search=a%22b",
            "?companyId=a%5D",
            "?companyId=.",
            "?pointOfContactId=..%2Fpeople",
            "?stage=A%5D",
            "?orderBy=a%5Bx%5D",
        ] {
            assert!(path(target).is_err(), "{target}");
        }
    }
}
