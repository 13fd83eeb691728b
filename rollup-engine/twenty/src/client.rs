//! Calls to Twenty: each waits for the rate limiter, is repeated where that helps, and is counted.

mod transport;

use ports::{Host, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::error::ApiError;
use crate::filter::Filter;
use crate::graphql::{self, CountRoots, GroupsRoots, MAX_ROOTS, PageRoot};
use crate::page::{Page, PageError, Projection, read_records};
use crate::schema::{MetadataPage, Names, read_objects};
use crate::target::{Collection, Query, Target};
use transport::{Read, RequestSpec};

pub use transport::{Client, Connection};

pub use crate::graphql::{Dimension, Granularity, Group, GroupQuery, Groups};

/// Most records that Twenty gives in one page and takes in one batch
pub const MAX_RECORDS: usize = 200;

/// A way to ask for one page of a list
#[derive(Clone, Debug, Default)]
pub struct PageQuery<'a> {
    /// Which records
    pub filter: Option<&'a Filter>,
    /// Cursor that the page before ended with
    pub after: Option<&'a str>,
    /// Records a page, at most [`MAX_RECORDS`]
    pub limit: usize,
}

impl<H: Host> Client<H> {
    /// One page of an object's live records, in the order of their ids
    ///
    /// Where a path leads through a relation, each record comes with all that it is related to, which is some six times
    /// as large.
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiError::Refused`], without a request, for a filter that is not
    /// [safe](Filter::is_rest_safe) and for paths that are not [within REST](Projection::is_within_rest).
    pub async fn list(&self, names: &Names, query: PageQuery<'_>, keep: &Projection) -> Result<Page, ApiError> {
        let refused = |message: &str| ApiError::Refused {
            endpoint: format!("GET /rest/{}", names.plural),
            status: 400,
            message: message.to_owned(),
        };
        let limit = query.limit.clamp(1, MAX_RECORDS);
        let mut asked = depth(Query::default().with("limit", limit.to_string()), keep, refused)?;
        if let Some(filter) = query.filter {
            if !filter.is_rest_safe() {
                return Err(refused("the filter has a text that REST would misread"));
            }
            asked = asked.filtered(filter);
        }
        if let Some(after) = query.after {
            asked = asked.with("starting_after", after);
        }
        let call = RequestSpec::rest(&Target::list(collection(names)?, &asked), &names.plural);
        self.records(call, &names.plural, keep, Page::of_list).await
    }

    /// One page of an object's live records through GraphQL, in the order of their ids; `limit` has no maximum
    ///
    /// A field that does not exist is empty here, and not missing.
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiError::is_unsupported`] for a server to be asked over REST.
    pub async fn list_graphql(&self, names: &Names, query: PageQuery<'_>, keep: &Projection) -> Result<Page, ApiError> {
        let document = graphql::list_document(names, query.filter, query.after, query.limit, keep);
        let root = || PageRoot::list(&names.plural, keep);
        self.records_graphql(&names.plural, graphql::body(&document), None, root, Page::of_list).await
    }

    /// Children grouped by the server, by a record and, if wanted, by currencies, periods and other values of theirs
    ///
    /// # Examples
    ///
    /// ```
    /// use std::{cell::RefCell, rc::Rc};
    ///
    /// use ports::Timestamp;
    /// use sandbox::{Faults, Sandbox, SandboxHost};
    /// use twenty::client::{Client, Connection, GroupQuery};
    /// use twenty::rate_limiter::{Priority, RateLimit};
    /// use twenty::schema::Names;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
    /// let now = Timestamp::from_millis(0);
    /// let mut sandbox = Sandbox::default();
    /// let csv = "donor,gift_date,amount,currency\n17,2026-03-05,12.50,GBP\n17,2026-04-05,10.00,GBP\n";
    /// sandbox.load_gifts_csv(csv.as_bytes(), now).unwrap();
    /// let connection = Connection { base_url: "http://twenty.test".into(), token: sandbox.tokens().token.clone() };
    /// let host = SandboxHost::new(Rc::new(RefCell::new(sandbox)), Faults::none(), now);
    ///
    /// let client = Client::new(&host, connection, RateLimit::default(), Priority::Job, None, 1);
    /// let aggregates = ["sumAmountAmountMicros".to_owned()];
    /// let query = GroupQuery { by: "donorId", aggregates: &aggregates, limit: 100, ..GroupQuery::default() };
    /// let groups = client.groups(&Names::new("gift", "gifts"), &query).await.unwrap().groups;
    /// assert_eq!(groups[0].count, 2);
    /// assert_eq!(groups[0].values[0].number().unwrap().to_string(), "22500000");
    /// # });
    /// ```
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiError::is_unsupported`] for a server that has to be read over REST.
    pub async fn groups(&self, names: &Names, query: &GroupQuery<'_>) -> Result<Groups, ApiError> {
        let name = format!("{}GroupBy", names.plural);
        let body = graphql::body(&graphql::groups_document(names, query));
        let cost = 1 + u32::from(query.counted);
        let mut found = Groups::default();
        let mut read = |body: &[u8]| {
            let mut roots = GroupsRoots::new(&name, &names.plural, query);
            let failure = graphql::read_answer(body, &mut roots)?;
            let GroupsRoots { groups, total_count, .. } = roots;
            if failure.is_none() {
                found = match groups {
                    Some(groups) if total_count.is_some() == query.counted => Groups { groups, total_count },
                    Some(_) => return Err(PageError::NoRecords(names.plural.clone())),
                    None => return Err(PageError::NoRecords(name.clone())),
                };
            }
            Ok(failure)
        };
        self.graphql(&name, body, cost, None, &mut read).await?;
        Ok(found)
    }

    /// How many live records there are of each object, which must differ; one call for up to [`MAX_ROOTS`] objects
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiError::is_unsupported`] for a server that has to be read over REST.
    pub async fn counts(&self, objects: &[&Names]) -> Result<Vec<u64>, ApiError> {
        let mut counts = Vec::with_capacity(objects.len());
        for objects in objects.chunks(MAX_ROOTS) {
            let body = graphql::body(&graphql::counts_document(objects));
            let cost = u32::try_from(objects.len()).unwrap_or_default();
            let mut found = Vec::new();
            let mut read = |body: &[u8]| {
                let mut roots = CountRoots::new(objects);
                let failure = graphql::read_answer(body, &mut roots)?;
                if failure.is_none() {
                    let missing = |names: &Names| PageError::NoRecords(names.plural.clone());
                    let counts =
                        objects.iter().zip(roots.counts).map(|(names, count)| count.ok_or_else(|| missing(names)));
                    found = counts.collect::<Result<_, _>>()?;
                }
                Ok(failure)
            };
            self.graphql("counts", body, cost, None, &mut read).await?;
            counts.append(&mut found);
        }
        Ok(counts)
    }

    /// As [`Self::upsert`], through GraphQL: the answer has the fields of `keep` and no others
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiError::Stale`] if it cannot go out before `not_after`, [`ApiError::is_unsupported`] for a
    /// server to be written to over REST.
    pub async fn upsert_graphql(
        &self,
        names: &Names,
        rows: &[impl Serialize],
        not_after: Option<Timestamp>,
        keep: &Projection,
    ) -> Result<Page, ApiError> {
        let name = names.many("create");
        let body = graphql::upsert_body(names, rows, keep);
        self.records_graphql(&name, body, not_after, || PageRoot::written(&name, keep), Ok).await
    }

    /// One live record
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiError::NotFound`] for one that is deleted or was never there.
    pub async fn get(&self, names: &Names, id: Uuid, keep: &Projection) -> Result<Page, ApiError> {
        let refused = |message: &str| ApiError::Refused {
            endpoint: format!("GET /rest/{}", one_of(names)),
            status: 400,
            message: message.to_owned(),
        };
        let target = Target::get(collection(names)?, id.into(), &depth(Query::default(), keep, refused)?);
        let call = RequestSpec::rest(&target, &one_of(names));
        self.records(call, &names.singular, keep, |page| page.of_one(&names.singular)).await
    }

    /// Changes one record, which may be one that was deleted meanwhile (it stays deleted)
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiError::Stale`] if it cannot go out before `not_after`.
    pub async fn patch(
        &self,
        names: &Names,
        id: Uuid,
        changes: &impl Serialize,
        not_after: Option<Timestamp>,
        keep: &Projection,
    ) -> Result<Page, ApiError> {
        let mut call = RequestSpec::rest(&Target::update(collection(names)?, id.into()), &one_of(names));
        call.body = serde_json::to_vec(changes).ok();
        call.not_after = not_after;
        let key = names.one("update");
        self.records(call, &key, keep, |page| page.of_one(&key)).await
    }

    /// Writes up to [`MAX_RECORDS`] records, each with its `id`; answers with the records as they are after it
    ///
    /// Not atomic: after an error some of them may be written. Revives deleted records and creates unknown ones.
    ///
    /// # Errors
    /// See [`ApiError`]; [`ApiError::Stale`] if it cannot go out before `not_after`.
    pub async fn upsert(
        &self,
        names: &Names,
        rows: &[impl Serialize],
        not_after: Option<Timestamp>,
        keep: &Projection,
    ) -> Result<Page, ApiError> {
        let mut call = RequestSpec::rest(&Target::upsert(collection(names)?), &format!("batch/{}", names.plural));
        call.body = serde_json::to_vec(rows).ok();
        call.not_after = not_after;
        self.records(call, &names.many("create"), keep, Ok).await
    }

    /// Destroys a record for good
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn destroy(&self, names: &Names, id: Uuid) -> Result<(), ApiError> {
        let call = RequestSpec::rest(&Target::destroy(collection(names)?, id.into()), &one_of(names));
        self.call(call, None).await.map(drop)
    }

    /// One page of the workspace's objects and fields; costs nothing of the rate limit
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn objects(&self, after: Option<&str>) -> Result<MetadataPage, ApiError> {
        let mut query = Query::default().with("limit", MAX_RECORDS.to_string());
        if let Some(after) = after {
            query = query.with("starting_after", after);
        }
        let mut call = RequestSpec::rest(&Target::objects(&query), "metadata/objects");
        call.cost = 0;
        let mut found = MetadataPage { objects: Vec::new(), next: None };
        let mut read = |body: &[u8]| {
            // No workspace is without objects.
            let page = read_objects(body).filter(|page| after.is_some() || !page.objects.is_empty());
            found = page.ok_or(PageError::NoObjects)?;
            Ok(None)
        };
        self.call(call, Some(&mut read)).await?;
        Ok(found)
    }

    async fn records(
        &self,
        call: RequestSpec,
        key: &str,
        keep: &Projection,
        check: impl Fn(Page) -> Result<Page, PageError>,
    ) -> Result<Page, ApiError> {
        let mut found = Page::default();
        let mut read = |body: &[u8]| {
            found = check(read_records(body, key, keep)?)?;
            Ok(None)
        };
        self.call(call, Some(&mut read)).await?;
        self.stats.borrow_mut().records += found.records.len() as u64;
        Ok(found)
    }

    /// Sends a document of one root field, which is its name, and reads the records there
    async fn records_graphql<'r>(
        &self,
        name: &str,
        body: Vec<u8>,
        not_after: Option<Timestamp>,
        root: impl Fn() -> PageRoot<'r>,
        check: impl Fn(Page) -> Result<Page, PageError>,
    ) -> Result<Page, ApiError> {
        let mut found = Page::default();
        let mut read_body = |body: &[u8]| {
            let mut root = root();
            let failure = graphql::read_answer(body, &mut root)?;
            if failure.is_none() {
                let page = root.page.ok_or_else(|| PageError::NoRecords(name.to_owned()))?;
                found = check(page)?.with_ids(name)?;
            }
            Ok(failure)
        };
        self.graphql(name, body, 1, not_after, &mut read_body).await?;
        self.stats.borrow_mut().records += found.records.len() as u64;
        Ok(found)
    }

    /// Sends a document and has its answer read
    async fn graphql(
        &self,
        name: &str,
        body: Vec<u8>,
        cost: u32,
        not_after: Option<Timestamp>,
        read: Read<'_>,
    ) -> Result<(), ApiError> {
        let mut call = RequestSpec::graphql(name);
        call.body = Some(body);
        call.cost = cost;
        call.not_after = not_after;
        let mut is_graphql = true;
        let mut read = |body: &[u8]| {
            is_graphql = body.trim_ascii_start().starts_with(b"{");
            read(body)
        };
        match self.call(call, Some(&mut read)).await {
            // Something in between that answers nothing, however often it is asked: REST may get through.
            Err(ApiError::Malformed { endpoint, reason }) if !is_graphql => {
                Err(ApiError::Unsupported { endpoint, status: 200, message: reason })
            }
            result => result.map(drop),
        }
    }
}

fn collection(names: &Names) -> Result<Collection, ApiError> {
    Collection::try_from(names).map_err(|fault| ApiError::Refused {
        endpoint: "REST".to_owned(),
        status: 400,
        message: fault.to_string(),
    })
}

/// The query, with the depth that gives all of the paths
fn depth(query: Query, keep: &Projection, refused: impl Fn(&str) -> ApiError) -> Result<Query, ApiError> {
    if !keep.is_within_rest() {
        return Err(refused("REST gives nothing that lies behind several relations"));
    }
    Ok(query.with("depth", keep.depth().to_string()))
}

/// The route of one record
fn one_of(names: &Names) -> String {
    format!("{}/{{id}}", names.plural)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use super::*;
    use crate::rate_limiter::{Priority, RateLimit};
    use crate::value::Value;
    use serde_json::json;
    use support::StubHost;

    const ADA: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);

    fn client(answer: &serde_json::Value) -> Client<StubHost<'static>> {
        let host = StubHost::always(200, answer.to_string()).at(Timestamp::from_millis(0));
        let connection = Connection { base_url: "http://twenty.test".into(), token: "secret".into() };
        Client::new(host, connection, RateLimit::default(), Priority::Job, None, 1)
    }

    #[tokio::test]
    async fn requests_of_each_operation() {
        let names = Names::new("person", "people");
        let mut keep = Projection::default();
        let number = keep.add("n");
        let record = json!({ "id": ADA, "n": 7 });
        let client = client(&json!({ "data": {
            "people": [record], "person": record, "updatePerson": record, "createPeople": [record]
        }, "totalCount": 1, "pageInfo": { "hasNextPage": false } }));
        let filter = Filter::IdIn("id".into(), vec![ADA]);
        let query = PageQuery { filter: Some(&filter), after: Some("a="), limit: 500 };
        let rows = [json!({ "id": ADA })];
        for page in [
            client.list(&names, query, &keep).await,
            client.get(&names, ADA, &keep).await,
            client.patch(&names, ADA, &json!({ "n": 7 }), None, &keep).await,
            client.upsert(&names, &rows, None, &keep).await,
        ] {
            let page = page.unwrap();
            assert_eq!(
                (page.records[0].id, page.records[0].value(number).number()),
                (ADA, Value::from(&json!(7)).number())
            );
        }
        assert_eq!(client.stats().records, 4);
        let sent = client.host().sent();
        assert!(sent.iter().all(|request| request.header("authorization") == Some("Bearer secret")));
        let sent = sent.iter().map(|request| {
            let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default());
            format!("{} {} {body}", request.method, request.url).trim_end().to_owned()
        });
        assert_eq!(
            sent.collect::<Vec<_>>(),
            [
                format!(
                    "GET http://twenty.test/rest/people?limit=200&depth=0&filter=and%28id%5Bin%5D%3A%5B{ADA}%5D%29\
                     &starting_after=a%3D"
                ),
                format!("GET http://twenty.test/rest/people/{ADA}?depth=0"),
                format!("PATCH http://twenty.test/rest/people/{ADA} {{\"n\":7}}"),
                format!("POST http://twenty.test/rest/batch/people?upsert=true [{{\"id\":\"{ADA}\"}}]"),
            ]
        );
        let stats = client.stats();
        let asked: Vec<_> = stats.by_endpoint.iter().map(|(endpoint, _)| endpoint.to_owned()).collect();
        let routes =
            ["GET /rest/people", "GET /rest/people/{id}", "PATCH /rest/people/{id}", "POST /rest/batch/people"];
        assert_eq!((stats.total, asked), (4, routes.map(str::to_owned).to_vec()));
    }

    #[tokio::test]
    async fn late_write_is_not_sent() {
        let client = client(&json!({}));
        let late = Some(Timestamp::from_millis(-1));
        let error = client.upsert(&Names::new("person", "people"), &[json!({})], late, &Projection::default()).await;
        assert_eq!(error.unwrap_err().code(), "stale");
        assert!(client.host().sent().is_empty());
    }
}
