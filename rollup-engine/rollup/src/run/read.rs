//! Reading records in as few requests as the server allows.
//!
//! REST gives 200 records a request, GraphQL as many as are asked for. But GraphQL answers an unknown field with null, so
//! it is asked only once the names are proven: by the metadata, or by the keys of records that came by REST. And it may
//! fall away at any call: the caller then chooses again what to ask for, as REST carries less.

use ports::{Event, Level, Timestamp};
use twenty::client::PageQuery;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::page::Page;
use twenty::value::Value;
use uuid::Uuid;

use super::reader::Reader;
use crate::compiled::PathKind;
use crate::definitions::place_of_condition;
use crate::ids::SourceId;

/// Records in one reply of GraphQL: some 1 MB
pub(super) const MAX_GRAPHQL_PAGE: usize = 5_000;

/// Ids in one filter of REST: 200 make some 8 KB of the 16 KB that a request line and headers may have
const MAX_REST_IDS: usize = 200;

/// Ids in one filter of GraphQL, which stand in the body
pub(super) const MAX_GRAPHQL_IDS: usize = 2_000;

/// Readings of the same records, of which each but the last came to less than their count
const MAX_READINGS: u32 = 4;

/// How far the reading of an object came
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) seen: u64,
    pub(super) first_count: Option<u64>,
    pub(super) last_count: Option<u64>,
    /// Whether it was ended for another reason than the end of the pages
    pub(super) given_up: bool,
}

impl Reading {
    pub(super) fn add_page(&mut self, page: &Page) {
        self.seen += page.records.len() as u64;
        self.first_count = self.first_count.or(page.total_count);
        self.last_count = page.total_count;
    }

    /// Rows seen and counted, if fewer were seen than there were at any time
    pub(super) fn shortfall(&self) -> Option<(u64, u64)> {
        let counted = self.first_count?.min(self.last_count?);
        (!self.given_up && self.seen < counted).then_some((self.seen, counted))
    }
}

impl Reader<'_> {
    /// Whether GraphQL may be asked for this object
    pub(super) fn uses_graphql(&self, source: SourceId) -> bool {
        self.graphql.get() && self.known[source].borrow().proven
    }

    /// Ids that the filter of one call may name, the way that calls about this object go at this moment
    pub(super) fn max_ids(&self, source: SourceId) -> usize {
        if self.uses_graphql(source) { MAX_GRAPHQL_IDS } else { MAX_REST_IDS }
    }

    /// The first of these ids, as many as one call may name, and the others
    pub(super) fn portion<'i>(&self, source: SourceId, ids: &'i [Uuid]) -> (&'i [Uuid], &'i [Uuid]) {
        ids.split_at(ids.len().min(self.max_ids(source)))
    }

    /// Takes an error of GraphQL: true if the server has none, and REST is the way from here on.
    pub(super) fn disable_graphql(&self, error: &ApiError) -> bool {
        let unsupported = error.is_unsupported();
        if unsupported && self.graphql.replace(false) {
            let line = Event::new(Level::Warn, "graphql_refused").with("message", error.to_string());
            self.client.host().log(line);
        }
        unsupported
    }

    /// Takes a page of GraphQL, or the error that there is none: who asked chooses anew then.
    pub(super) fn disable_graphql_on_error(&self, page: Result<Page, ApiError>) -> Result<Page, ApiError> {
        page.inspect_err(|error| {
            self.disable_graphql(error);
        })
    }

    /// One page of an object's live records and the moment at which it came; up to `most` records where GraphQL serves
    ///
    /// Where GraphQL turns out not to serve, that is the error: the same can be asked again, and goes by REST then, unless
    /// it names more ids than [`Self::most_ids`].
    pub(super) async fn page(
        &self,
        source: SourceId,
        filter: Option<&Filter>,
        after: Option<&str>,
        most: usize,
    ) -> Result<(Page, Timestamp), ApiError> {
        let object = &self.compiled.sources[source];
        self.outcome.spend(|spent| spent.reads += 1);
        if self.uses_graphql(source) {
            let query = PageQuery { filter, after, limit: most };
            let page = self.client.list_graphql(&object.names, query, &object.keep).await;
            return self.disable_graphql_on_error(page).map(|page| (page, self.client.host().now()));
        }
        let query = PageQuery { filter, after, limit: self.options.page_size };
        let page = self.client.list(&object.names, query, &object.keep).await?;
        self.learn(source, &page);
        Ok((page, self.client.host().now()))
    }

    /// Judges a reading of some records that has come to its end: true if it is to be begun again, as fewer came than
    /// were counted. A reply that lost records must not make parents poorer.
    pub(super) fn is_short(&self, source: SourceId, reading: &Reading, number: u32) -> Result<bool, ApiError> {
        let Some((seen, counted)) = reading.shortfall() else { return Ok(false) };
        if number < MAX_READINGS {
            return Ok(true);
        }
        let endpoint = format!("reading `{}`", self.compiled.name(source));
        Err(ApiError::Malformed { endpoint, reason: format!("only {seen} of {counted} records came") })
    }

    /// Learns from the first records what fields there are.
    pub(super) fn learn(&self, source: SourceId, page: &Page) {
        let object = &self.compiled.sources[source];
        let mut known = self.known[source].borrow_mut();
        // An empty page shows nothing.
        let [first, ..] = page.records.as_slice() else { return };
        if known.kinds.is_empty() {
            let is_known = |slot| *first.value(slot) != Value::Missing || object.optional.contains(&slot);
            known.proven = object.keep.slots().all(is_known);
            let kind = |(slot, path): (_, &String)| PathKind::of_records(&page.records, slot, path);
            known.kinds = object.keep.slots().zip(&object.paths).map(kind).collect();
            self.prove_values(source, &known.kinds);
        }
    }

    /// Drops the rollups that compare a field with a value which the records show to be impossible there.
    fn prove_values(&self, source: SourceId, kinds: &[Option<PathKind>]) {
        let object = &self.compiled.sources[source];
        for (index, rollup) in self.compiled.rollups.entries().filter(|(_, rollup)| rollup.child == source) {
            for (aggregation, place, condition) in rollup.definition.conditions() {
                let path = object.paths.iter().position(|path| *path == condition.field);
                let kind = path.and_then(|path| kinds.get(path).copied().flatten()).and_then(PathKind::of_values);
                let Some((inside, message)) = kind.and_then(|kind| kind.value_fault(condition)) else { continue };
                let place = place_of_condition(aggregation, place);
                self.outcome.record.borrow_mut().impossible_value(index, format!("{place}, {inside}: {message}"));
            }
        }
    }

    /// What kind of value stands at a path of an object, if that is known
    pub(super) fn kind_of(&self, source: SourceId, path: &str) -> Option<PathKind> {
        let place = self.compiled.sources[source].paths.iter().position(|other| other == path)?;
        self.known[source].borrow().kinds.get(place).copied().flatten()
    }
}
