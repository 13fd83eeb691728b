//! Calls to Twenty: each waits for the rate limiter, is repeated where that helps, and is counted.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use uuid::Uuid;

use crate::error::ApiError;
use crate::filter::Filter;
use crate::graphql::{self, CountRoots, Failure, GroupsRoots, MAX_ROOTS, PageRoot};
use crate::page::{Page, PageError, Projection, read_records};
use crate::rate_limiter::{Priority, RateLimit, RateLimiter, Waiting};
use crate::request_stats::RequestStats;
use crate::retry::{Outcome, Sequence, Verdict, for_tokens, judge, retry_after};
use crate::schema::{MetadataPage, Names, read_objects};
use crate::target::{Collection, Query, Target};
use ports::time::{Timestamp, whole_millis};
use ports::{Event, FetchError, Host, Level, Method, Request, Response};

pub use crate::graphql::{Group, GroupQuery, Groups};

/// Most records that Twenty gives in one page and takes in one batch
pub const MAX_RECORDS: usize = 200;

/// How long one attempt may take; an upsert of 200 records takes Twenty about 2 s
const TIMEOUT: Duration = Duration::from_mins(1);

/// How long after the deadline a call that is under way may still end
const GRACE: Duration = Duration::from_secs(5);

/// Where a workspace is, and who asks
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// Address of the server, without a path: `https://crm.example.org`
    pub base_url: String,
    /// API key or app token
    pub token: String,
}

// The token never reaches a log.
impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// What one call needs
#[derive(Clone, Debug)]
struct Call {
    method: Method,
    /// Path without a query, record ids left out: how the call is named in reports and in errors
    route: String,
    /// Path and query as sent
    path: String,
    body: Option<Vec<u8>>,
    /// What it costs of the rate limit, in tokens; 0 for a call that is not counted
    cost: u32,
    /// The call must not go out after this
    not_after: Option<Timestamp>,
}

impl Call {
    /// A call of the REST API; `route` is what follows `/rest/`, record ids left out
    fn rest(target: &Target, route: &str) -> Self {
        let path = format!("/rest{}", target.path());
        Self { method: target.method(), route: format!("/rest/{route}"), path, body: None, cost: 1, not_after: None }
    }

    fn graphql(name: &str) -> Self {
        let route = format!("/graphql {name}");
        Self { method: Method::Post, route, path: "/graphql".into(), body: None, cost: 1, not_after: None }
    }

    fn endpoint(&self) -> String {
        format!("{} {}", self.method, self.route)
    }
}

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

/// What reads a successful answer, and says what failed all the same; it is called again for the answer to a repetition
type Read<'r> = &'r mut dyn FnMut(&[u8]) -> Result<Option<Failure>, PageError>;

/// A caller of one workspace
#[derive(Debug)]
pub struct Client<H> {
    host: H,
    connection: Connection,
    limiter: RateLimiter,
    priority: Priority,
    deadline: Option<Timestamp>,
    stats: RefCell<RequestStats>,
    random: RefCell<Sequence>,
    /// The server's clock and ours at its first answer
    clocks: Cell<Option<(Timestamp, Timestamp)>>,
    max_throttles: Cell<Option<u64>>,
}

impl<H: Host> Client<H> {
    /// A caller with a fresh budget; `seed` spreads its waiting, and no call is repeated after `deadline`
    pub fn new(
        host: H,
        connection: Connection,
        limit: RateLimit,
        priority: Priority,
        deadline: Option<Timestamp>,
        seed: u64,
    ) -> Self {
        Self {
            host,
            connection,
            limiter: RateLimiter::new(limit, Waiting::Woken),
            priority,
            deadline,
            stats: RefCell::default(),
            random: RefCell::new(Sequence::new(seed)),
            clocks: Cell::new(None),
            max_throttles: Cell::new(None),
        }
    }

    /// The outside, for the clock and the log
    pub fn host(&self) -> &H {
        &self.host
    }

    /// What was spent so far
    pub fn stats(&self) -> RequestStats {
        self.stats.borrow().clone()
    }

    /// When calls have to end
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// What the server's clock showed at this time of ours, to the second, if the server has told its time
    pub fn server_time(&self, at: Timestamp) -> Option<Timestamp> {
        let (server, ours) = self.clocks.get()?;
        Some(if at >= ours { server + at.since(ours) } else { server - ours.since(at) })
    }

    /// Gives up after this many refusals for the rate limit, as if out of time: a later run continues.
    pub fn set_max_throttles(&self, max_throttles: Option<u64>) {
        self.max_throttles.set(max_throttles);
    }

    /// Requests that may go at once
    pub fn allowance(&self) -> u32 {
        self.limiter.allowance()
    }

    /// One page of an object's live records, in the order of their ids
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn list(&self, names: &Names, query: PageQuery<'_>, keep: &Projection) -> Result<Page, ApiError> {
        let mut asked =
            Query::default().with("limit", query.limit.clamp(1, MAX_RECORDS).to_string()).with("depth", "0");
        if let Some(filter) = query.filter {
            if !filter.is_rest_safe() {
                let message = "the filter has a text that REST would misread".to_owned();
                return Err(ApiError::Refused {
                    endpoint: format!("GET /rest/{}", names.plural),
                    status: 400,
                    message,
                });
            }
            asked = asked.filtered(filter);
        }
        if let Some(after) = query.after {
            asked = asked.with("starting_after", after);
        }
        let call = Call::rest(&Target::list(collection(names)?, &asked), &names.plural);
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

    /// Children grouped by the server, by a record and, if wanted, a currency
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
        rows: &[serde_json::Value],
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
        let target = Target::get(collection(names)?, id.into(), &Query::default().with("depth", "0"));
        let call = Call::rest(&target, &one_of(names));
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
        changes: &serde_json::Value,
        not_after: Option<Timestamp>,
        keep: &Projection,
    ) -> Result<Page, ApiError> {
        let mut call = Call::rest(&Target::update(collection(names)?, id.into()), &one_of(names));
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
        rows: &[serde_json::Value],
        not_after: Option<Timestamp>,
        keep: &Projection,
    ) -> Result<Page, ApiError> {
        let mut call = Call::rest(&Target::upsert(collection(names)?), &format!("batch/{}", names.plural));
        call.body = serde_json::to_vec(rows).ok();
        call.not_after = not_after;
        self.records(call, &names.many("create"), keep, Ok).await
    }

    /// Destroys a record for good
    ///
    /// # Errors
    /// See [`ApiError`].
    pub async fn destroy(&self, names: &Names, id: Uuid) -> Result<(), ApiError> {
        let call = Call::rest(&Target::destroy(collection(names)?, id.into()), &one_of(names));
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
        let mut call = Call::rest(&Target::objects(&query), "metadata/objects");
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
        call: Call,
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
        let mut call = Call::graphql(name);
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

    /// Sends a call until its answer is worth keeping; `read` reads a successful one and says what failed all the same
    ///
    /// A success that cannot be read is repeated as a server error is, writes included: a row holds values and no
    /// differences, and `not_after` bounds the repetition as it does the first attempt.
    async fn call(&self, call: Call, mut read: Option<Read<'_>>) -> Result<Response, ApiError> {
        let endpoint = call.endpoint();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let out_of_time = || ApiError::OutOfTime { endpoint: endpoint.clone() };
            let arrived = self.host.now();
            let permit = self.limiter.acquire(&self.host, self.priority, call.cost, self.deadline, TIMEOUT).await;
            let permit = permit.map_err(|_| out_of_time())?;
            self.stats.borrow_mut().waited += self.host.now().since(arrived);
            if call.not_after.is_some_and(|not_after| self.host.now() > not_after) {
                return Err(ApiError::Stale { endpoint });
            }
            self.stats.borrow_mut().sent(&endpoint, call.cost, attempt);
            let result = self.host.fetch(self.request(&call)).await;
            drop(permit);

            let failure = match (&result, &mut read) {
                (Ok(response), Some(read)) if matches!(response.status, 200..=299) => read(&response.body),
                _ => Ok(None),
            };
            let outcome = match (&result, &failure) {
                (Ok(_), Err(_)) => Outcome::Unreadable,
                (Ok(_), Ok(Some(failure))) => {
                    Outcome::Answered { status: failure.status, retry_after: failure.retry_after }
                }
                (Ok(response), Ok(None)) => Outcome::Answered {
                    status: response.status,
                    retry_after: retry_after(response.header("retry-after")),
                },
                (Err(FetchError::Unreachable { .. }), _) => Outcome::Unreachable,
                (Err(FetchError::TooLarge { .. }), _) => Outcome::TooLarge,
            };
            let verdict = judge(outcome, attempt, self.random.borrow_mut().draw());
            let wait = match verdict {
                Verdict::Keep => return self.keep(endpoint, result, failure),
                Verdict::Throttled(wait) => {
                    let wait = for_tokens(wait, call.cost, attempt);
                    let mut stats = self.stats.borrow_mut();
                    stats.throttled += 1;
                    let gives_up = self.max_throttles.get().is_some_and(|max| stats.throttled >= max);
                    drop(stats);
                    self.limiter.refused(self.host.now(), wait);
                    if gives_up {
                        return Err(out_of_time());
                    }
                    wait
                }
                Verdict::Retry(wait) => wait,
            };
            self.log_repetition(&endpoint, attempt, &result, outcome, wait);
            if self.deadline.is_some_and(|deadline| self.host.now() + wait > deadline) {
                return Err(out_of_time());
            }
            // After a refusal the limiter holds all calls back, this one included.
            if matches!(verdict, Verdict::Retry(_)) {
                self.stats.borrow_mut().waited += wait;
                self.host.sleep(wait).await;
            }
        }
    }

    fn request(&self, call: &Call) -> Request {
        let mut headers = vec![
            ("authorization".to_owned(), format!("Bearer {}", self.connection.token)),
            ("accept".to_owned(), "application/json".to_owned()),
        ];
        if call.body.is_some() {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Request {
            method: call.method,
            url: format!("{}{}", self.connection.base_url, call.path),
            headers,
            body: call.body.clone(),
            timeout: self.deadline.map_or(TIMEOUT, |deadline| TIMEOUT.min(deadline.since(self.host.now()) + GRACE)),
        }
    }

    fn keep(
        &self,
        endpoint: String,
        result: Result<Response, FetchError>,
        failure: Result<Option<Failure>, PageError>,
    ) -> Result<Response, ApiError> {
        match result {
            Err(FetchError::Unreachable { reason }) => Err(ApiError::Unreachable { endpoint, reason }),
            Err(FetchError::TooLarge { max_bytes }) => Err(ApiError::TooLarge { endpoint, max_bytes }),
            Ok(response) => {
                self.stats.borrow_mut().bytes += response.body.len() as u64;
                if self.clocks.get().is_none() {
                    let server = response.header("date").and_then(Timestamp::parse_http_date);
                    self.clocks.set(server.map(|server| (server, self.host.now())));
                }
                match (response.status, failure) {
                    (_, Err(error)) => Err(ApiError::Malformed { endpoint, reason: error.to_string() }),
                    (_, Ok(Some(failure))) => Err(ApiError::from_failure(endpoint, failure)),
                    (200..=299, Ok(None)) => Ok(response),
                    (status, Ok(None)) => Err(ApiError::from_answer(endpoint, status, &response.body)),
                }
            }
        }
    }

    fn log_repetition(
        &self,
        endpoint: &str,
        attempt: u32,
        result: &Result<Response, FetchError>,
        outcome: Outcome,
        wait: Duration,
    ) {
        let status = match outcome {
            Outcome::Answered { status, .. } => status.into(),
            Outcome::Unreadable => "unreadable".into(),
            Outcome::Unreachable | Outcome::TooLarge => serde_json::Value::Null,
        };
        let mut event = Event::new(Level::Warn, "request_repeated")
            .with("endpoint", endpoint)
            .with("attempt", attempt)
            .with("status", status)
            .with("waitMs", whole_millis(wait));
        if let Err(error) = result {
            event = event.with("reason", error.to_string());
        }
        self.host.log(event);
    }
}

fn collection(names: &Names) -> Result<Collection, ApiError> {
    Collection::try_from(names).map_err(|fault| ApiError::Refused {
        endpoint: "REST".to_owned(),
        status: 400,
        message: fault.to_string(),
    })
}

/// The route of one record
fn one_of(names: &Names) -> String {
    format!("{}/{{id}}", names.plural)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use ports::{Clock, Http, Log, async_trait};
    use serde_json::json;

    const ADA: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);

    /// Answers every call alike, and keeps what was asked
    struct Scripted {
        answer: serde_json::Value,
        asked: RefCell<Vec<String>>,
    }

    #[async_trait(?Send)]
    impl Http for Scripted {
        async fn fetch(&self, request: Request) -> Result<Response, FetchError> {
            assert_eq!(request.header("authorization"), Some("Bearer secret"));
            let body = request.body.map(String::from_utf8).transpose().unwrap().unwrap_or_default();
            self.asked.borrow_mut().push(format!("{} {} {body}", request.method, request.url).trim_end().to_owned());
            Ok(Response { status: 200, headers: vec![], body: self.answer.to_string().into_bytes() })
        }
    }

    #[async_trait(?Send)]
    impl Clock for Scripted {
        async fn sleep(&self, _: Duration) {}

        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }
    }

    impl Log for Scripted {
        fn log(&self, _: Event) {}
    }

    fn client(answer: serde_json::Value) -> Client<Scripted> {
        let host = Scripted { answer, asked: RefCell::default() };
        let connection = Connection { base_url: "http://twenty.test".into(), token: "secret".into() };
        Client::new(host, connection, RateLimit::default(), Priority::Job, None, 1)
    }

    #[tokio::test]
    async fn each_operation_asks_as_twenty_wants_it_and_finds_its_records() {
        let names = Names::new("person", "people");
        let mut keep = Projection::default();
        keep.add("n");
        let record = json!({ "id": ADA, "n": 7 });
        let client = client(json!({ "data": {
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
            assert_eq!((page.records[0].id, page.records[0].value(0).number()), (ADA, Value::from(&json!(7)).number()));
        }
        assert_eq!(client.stats().records, 4);
        assert_eq!(
            client.host().asked.borrow().as_slice(),
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
    async fn a_write_that_comes_too_late_does_not_go_out() {
        let client = client(json!({}));
        let late = Some(Timestamp::from_millis(-1));
        let error = client.upsert(&Names::new("person", "people"), &[], late, &Projection::default()).await;
        assert_eq!(error.unwrap_err().code(), "stale");
        assert!(client.host().asked.borrow().is_empty());
    }
}
