//! What there is, before anything is read: counts and names, and the plan that follows from them.

use std::time::Duration;

use ports::{Event, Level};
use twenty::client::PageQuery;

use super::Run;
use super::read::MAX_GRAPHQL_PAGE;
use super::stop::Stop;
use crate::compiled::needs_count;
use crate::ids::{IdList, RollupId, SourceId};
use crate::plan::{ChosenPlan, RequestRate, SliceCost, Survey};

/// Objects counted in one document; Twenty takes at most 20 root fields
const MAX_COUNTED_OBJECTS: usize = 20;

/// A server's time for a request, until it is measured
const DEFAULT_CALL_TIME: Duration = Duration::from_millis(500);

impl Run<'_> {
    /// Counts all objects and chooses how to read them.
    pub(super) async fn survey(&self, pace: twenty::rate_limiter::RateLimit) -> Result<ChosenPlan, Stop> {
        let before = self.outcome.spent.get().reads;
        let began = self.client.host().now();
        let counts = match self.count_all().await? {
            Some(counts) => counts,
            None => self.first_pages().await?,
        };
        for (known, count) in self.reader.known.iter().zip(&counts) {
            known.borrow_mut().count = *count;
        }
        let spent = self.outcome.spent.get().reads - before;
        let first_page = self.reader.known.iter().any(|known| known.borrow().first_page.is_some());
        let took = self.client.host().now().since(began);
        let groups = self.compiled.rollups.ids().map(|index| self.group_cost(index));
        let now = self.client.host().now();
        let survey = Survey {
            compiled: self.compiled,
            counts,
            groups: groups.collect(),
            spent,
            first_page,
            graphql: self.reader.graphql.get(),
            page: if self.reader.graphql.get() { MAX_GRAPHQL_PAGE } else { self.options.page_size } as u64,
            slices: self.compiled.sources.ids().map(|source| self.slice_cost(source)).collect(),
            parents_in_memory: self.options.sizes.parents_in_memory,
            sliced: self.options.parents_per_run.is_some(),
            pace: RequestRate {
                per_minute: pace.requests_per_minute,
                burst: u64::from(pace.burst),
                call: if took.is_zero() { Duration::ZERO } else { took.max(DEFAULT_CALL_TIME) },
                concurrency: u64::from(pace.concurrency),
                left: self.client.deadline().map(|deadline| deadline.since(now)),
            },
        };
        let choice = survey.choose();
        self.outcome.pace.set(Some(survey.pace));
        self.client.host().log(
            Event::new(Level::Info, "plan_made")
                .with("reads", choice.plan.reads)
                .with("writesAtMost", choice.plan.writes_at_most)
                .with("seconds", choice.plan.seconds)
                .with("secondsAtMost", choice.plan.seconds_at_most)
                .with("why", choice.plan.why.as_str()),
        );
        Ok(choice)
    }

    /// Requests that the groups of a rollup's children cost; nothing where the server cannot add them up
    fn group_cost(&self, index: RollupId) -> Option<u64> {
        let sets = self.group_sets(index)?;
        let counted = (0..sets.len()).filter(|number| needs_count(&sets, *number)).count();
        Some((sets.len() + counted + usize::from(self.has_exceptions(index))) as u64)
    }

    fn slice_cost(&self, source: SourceId) -> SliceCost {
        let parents = self.parents_per_slice(source);
        let is_large = parents > self.options.sizes.smallest_slice;
        let groups = || self.compiled.into_parent(source).map(|index| self.group_cost(index)).sum();
        SliceCost { parents: parents as u64, groups: if is_large { groups() } else { None } }
    }

    /// Counts through GraphQL; nothing where the names are not proven or the server has none
    async fn count_all(&self) -> Result<Option<IdList<SourceId, Option<u64>>>, Stop> {
        let mut counts = Vec::new();
        let all: Vec<SourceId> = self.compiled.sources.ids().collect();
        for chunk in all.chunks(MAX_COUNTED_OBJECTS) {
            if !chunk.iter().all(|source| self.reader.uses_graphql(*source)) {
                return Ok(None);
            }
            let names: Vec<_> = chunk.iter().map(|source| &self.compiled.sources[*source].names).collect();
            self.outcome.spend(|spent| spent.reads += names.len() as u64);
            match self.client.counts(&names).await {
                Ok(found) => counts.extend(found.into_iter().map(Some)),
                Err(error) => {
                    if let Some(stop) = Stop::of(&error) {
                        return Err(stop);
                    }
                    self.reader.disable_graphql(&error);
                    return Ok(None);
                }
            }
        }
        Ok(Some(counts.into_iter().collect()))
    }

    /// Reads the first page of each object by REST: its count, its keys, and what a scan then need not read again
    async fn first_pages(&self) -> Result<IdList<SourceId, Option<u64>>, Stop> {
        let mut counts = IdList::default();
        for (source, object) in self.compiled.sources.entries() {
            self.outcome.spend(|spent| spent.reads += 1);
            let query = PageQuery { filter: None, after: None, limit: self.options.page_size };
            match self.client.list(&object.names, query, &object.keep).await {
                Ok(page) => {
                    counts.push(page.total_count);
                    self.reader.learn(source, &page);
                    self.reader.known[source].borrow_mut().first_page = Some((page, self.client.host().now()));
                }
                Err(error) => {
                    self.outcome.give_up(source, &error)?;
                    counts.push(None);
                }
            }
        }
        Ok(counts)
    }

    /// Notes the plan; `counts` of the report are those of the survey.
    pub(super) fn set_plan(&self, choice: &ChosenPlan) {
        self.outcome.record.borrow_mut().plan = Some(choice.plan.clone());
        self.tallies.grouped.replace(choice.grouped.clone());
    }
}
