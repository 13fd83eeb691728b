//! What intake asks of Twenty: a few calls, each of which may be made again without harm.
//!
//! Records are made under ids of our own, so that a repeat is refused and then found. A row is changed only as it was
//! read: the condition is part of the write, and a write whose answer was lost is recognised by its entry in the trail.

use ports::Timestamp;
use serde_json::{Map, Value, json};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::rate_limiter::Priority;
use twenty::target::{OrderBy, Query, Target};

use super::staged_gift::StagedGift;
use super::trail::{self, Actor};
use crate::context::RequestContext;
use crate::error::Error;
use crate::request::has_id;
use fundraising::staging::State;

/// Code of what cannot be true of a payment, or of money that went back
pub(crate) const IMPLAUSIBLE: &str = "implausible";
/// How often a row is marked anew because a concurrent request changed it
const MARK_TRIES: u32 = 4;

/// How an object is called in paths and in answers
#[derive(Clone, Copy, Debug)]
pub(crate) struct Object {
    pub(crate) plural: &'static str,
    pub(crate) create: &'static str,
}

/// Gifts
pub(crate) const GIFT: Object = Object { plural: "gifts", create: "createGift" };
/// Rows
pub(crate) const ROW: Object = Object { plural: "giftStagings", create: "createGiftStaging" };
/// People
pub(crate) const PERSON: Object = Object { plural: "people", create: "createPerson" };

/// What came of making a record under an id of our own
#[derive(Clone, Debug)]
pub(crate) enum Made {
    /// It was made
    New(Value),
    /// It was there
    Repeat(Value),
    /// It was there and somebody deleted it
    Gone,
}

/// Makes a record; `body` has its id
pub(crate) async fn make(cx: &RequestContext<'_>, object: Object, body: Map<String, Value>) -> Result<Made, Error> {
    let id = body.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    match cx.call(Target::create(object.plural), Some(body.into())).await {
        Ok(answer) => {
            let record = take_data(answer, object.create).filter(has_id);
            record.map(Made::New).ok_or_else(|| Error::malformed(object.create))
        }
        Err(failure) if may_be_duplicate(&failure) => match find(cx, object.plural, &id).await? {
            Some(record) if is_deleted(&record) => Ok(Made::Gone),
            Some(record) => Ok(Made::Repeat(record)),
            // Another unique field was taken; this record was never made.
            None => Err(failure),
        },
        Err(failure) => Err(failure),
    }
}

/// What stands in an answer's `data` under this name, taken out of it
pub(crate) fn take_data(mut answer: Value, name: &str) -> Option<Value> {
    answer.get_mut("data")?.get_mut(name).map(Value::take)
}

/// A record by its id, also one in the trash
pub(crate) async fn find(cx: &RequestContext<'_>, plural: &'static str, id: &str) -> Result<Option<Value>, Error> {
    let Ok(id) = id.parse() else { return Ok(None) };
    let filter = Filter::And(vec![Filter::IdIs("id".into(), id), Filter::with_deleted()]);
    let records = list(cx, plural, &filter, 1, None).await?;
    Ok(records.into_iter().next())
}

/// The first records that a filter lets through
pub(crate) async fn list(
    cx: &RequestContext<'_>,
    plural: &'static str,
    filter: &Filter,
    limit: usize,
    order: Option<OrderBy>,
) -> Result<Vec<Value>, Error> {
    let mut query = Query::default().filtered(filter).with("limit", limit.to_string());
    if let Some(order) = order {
        query = query.ordered(&order);
    }
    let answer = cx.call(Target::list(plural, &query), None).await?;
    match take_data(answer, plural) {
        Some(Value::Array(records)) => Ok(records),
        _ => Err(Error::malformed("a list")),
    }
}

/// A row by its id
pub(crate) async fn row(cx: &RequestContext<'_>, id: RecordId) -> Result<StagedGift, Error> {
    let answer = cx.call(Target::get(ROW.plural, id, &Query::default()), None).await?;
    let record = take_data(answer, "giftStaging");
    record.filter(has_id).map(StagedGift::new).ok_or_else(|| Error::malformed("giftStaging"))
}

/// A row as it is by now
pub(crate) async fn reread(cx: &RequestContext<'_>, row: &StagedGift) -> Result<StagedGift, Error> {
    self::row(cx, id_of(row.id())?).await
}

/// An id that Twenty answered with
pub(crate) fn id_of(text: &str) -> Result<RecordId, Error> {
    text.parse().map_err(|_| Error::malformed("the id of a record"))
}

/// What came of changing a row
#[derive(Debug)]
pub(crate) enum Written {
    /// It reads so now
    StagedGift(StagedGift),
    /// Somebody else changed it since it was read
    Raced,
}

/// One change of a row
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) body: Map<String, Value>,
    pub(crate) action: &'static str,
    pub(crate) particulars: Value,
    /// A further condition on the row as it is when written
    pub(crate) condition: Option<Filter>,
}

/// Changes a row, if it is as it was read
pub(crate) async fn write(cx: &RequestContext<'_>, row: &StagedGift, change: Change) -> Result<Written, Error> {
    let mark = cx.new_id().to_string();
    let mut particulars = change.particulars;
    if let Some(members) = particulars.as_object_mut() {
        members.insert("mark".into(), mark.as_str().into());
    }
    let mut body = change.body;
    if let Some(trail) = trail::extended(row, actor(cx).entry(change.action, particulars)) {
        body.insert("auditTrail".into(), trail);
    }
    let id = id_of(row.id())?;
    let mut conditions = vec![Filter::IdIs("id".into(), id)];
    if let (true, Some(read)) = (row.is_own(), row.updated_at()) {
        conditions.extend(within_the_millisecond(read));
    }
    conditions.extend(change.condition);
    if conditions.len() == 1 {
        let answer = cx.call(Target::update(ROW.plural, id), Some(body.into())).await?;
        let record = take_data(answer, "updateGiftStaging");
        return record
            .map(StagedGift::new)
            .map(Written::StagedGift)
            .ok_or_else(|| Error::malformed("updateGiftStaging"));
    }
    let changed = update_where(cx, ROW.plural, "updateGiftStagings", conditions, body.into()).await?;
    if let Some(record) = changed.into_iter().next() {
        return Ok(Written::StagedGift(StagedGift::new(record)));
    }
    if !row.is_own() {
        return Ok(Written::Raced);
    }
    // Either somebody else was first, or this very write was, and its answer was lost.
    let current = self::row(cx, id).await?;
    Ok(if trail::has(&current, &mark) { Written::StagedGift(current) } else { Written::Raced })
}

/// Writes on a row that it is this gift, whatever happened to it meanwhile: the gift is there
pub(crate) async fn mark(
    cx: &RequestContext<'_>,
    row: &StagedGift,
    gift: &str,
    action: &'static str,
) -> Result<(), Error> {
    let mut row = row.clone();
    for _ in 0..MARK_TRIES {
        if row.state() == State::Processed && row.text("giftId") == Some(gift) {
            return Ok(());
        }
        let mut body = Map::new();
        body.insert("processingStatus".into(), State::Processed.as_str().into());
        body.insert("validationStatus".into(), "passed".into());
        body.insert("dedupeStatus".into(), "passed".into());
        body.insert("giftId".into(), gift.into());
        if row.is_own() && row.get("errorDetail").is_some() {
            body.insert("errorDetail".into(), Value::Null);
        }
        let particulars = json!({ "giftId": gift, "from": row.state().as_str() });
        let change = Change { body, action, particulars, condition: None };
        match write(cx, &row, change).await? {
            Written::StagedGift(_) => return Ok(()),
            Written::Raced => row = reread(cx, &row).await?,
        }
    }
    Err(Error::malformed("a quiet row"))
}

/// Instants are kept to the microsecond and shown to the millisecond.
pub(crate) fn within_the_millisecond(read: Timestamp) -> [Filter; 2] {
    let next = Timestamp::from_millis(read.as_millis() + 1);
    [Filter::Since("updatedAt".into(), read), Filter::Before("updatedAt".into(), next)]
}

/// Changes the records that fulfil all conditions, one of which names their ids; answers with those that were changed
pub(crate) async fn update_where(
    cx: &RequestContext<'_>,
    plural: &'static str,
    key: &str,
    conditions: Vec<Filter>,
    body: Value,
) -> Result<Vec<Value>, Error> {
    let target = Target::update_where(plural, &Filter::And(conditions))?;
    match take_data(cx.call(target, Some(body)).await?, key) {
        Some(Value::Array(changed)) => Ok(changed),
        _ => Err(Error::malformed(key)),
    }
}

/// Whether the workspace has rows, asked once: where gifts are not staged it may well have none
pub(crate) async fn has_rows(cx: &RequestContext<'_>) -> bool {
    if cx.state.settings.staging {
        return true;
    }
    if let Some(known) = cx.state.workspace.has_rows.get() {
        return known;
    }
    let target = Target::objects(&Query::default().with("limit", "200"));
    let Ok(answer) = cx.call(target, None).await else { return false };
    let data = answer.get("data");
    let objects = data.and_then(|data| data.get("objects")).or(data).and_then(Value::as_array).into_iter().flatten();
    let mut has_rows = false;
    for object in objects {
        has_rows |= object.get("nameSingular").and_then(Value::as_str) == Some("giftStaging");
    }
    cx.state.workspace.has_rows.set(Some(has_rows));
    has_rows
}

/// Who acts in this request
pub(crate) fn actor<'a>(cx: &'a RequestContext<'_>) -> Actor<'a> {
    let by = match cx.priority {
        Priority::Person => "person",
        Priority::Webhook => "webhook",
        Priority::Job => "job",
    };
    Actor { at: cx.now(), by, request_id: &cx.request_id }
}

/// Puts a row to a reviewer: what it says cannot be right
pub(crate) fn fail_validation(cx: &RequestContext<'_>, body: &mut Map<String, Value>, code: &str, message: &str) {
    body.insert("processingStatus".into(), State::ValidationFailed.as_str().into());
    body.insert("validationStatus".into(), "failed".into());
    body.insert("errorDetail".into(), error_detail(code, message, cx.now()));
}

/// What a failure leaves on a row
pub(crate) fn error_detail(code: &str, message: &str, at: Timestamp) -> Value {
    json!({ "code": code, "message": message, "at": at.to_string() })
}

/// Whether a create with an id of our own may have been refused as a duplicate: the refusal says so, or it cannot be read
pub(crate) fn may_be_duplicate(failure: &Error) -> bool {
    let is_unreadable = failure.messages().is_empty();
    failure.is_duplicate()
        || failure.upstream_status() == Some(409)
        || (is_unreadable && matches!(failure.upstream_status(), Some(400 | 422)))
}

/// Whether Twenty carried nothing out and never will
pub(crate) fn is_refused(failure: &Error) -> bool {
    failure.upstream_status().is_some_and(|status| (400..500).contains(&status) && !matches!(status, 408 | 429))
}

pub(crate) fn is_missing(failure: &Error) -> bool {
    failure.upstream_status() == Some(404)
}

pub(crate) fn is_deleted(record: &Value) -> bool {
    record.get("deletedAt").is_some_and(|at| !at.is_null())
}
