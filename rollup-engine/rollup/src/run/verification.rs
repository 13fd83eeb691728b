//! The second look: what changed while a run worked is computed again.

use ports::Timestamp;
use twenty::client::PageQuery;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::page::Projection;

use super::Run;
use super::options::RollupTargets;
use super::read::Reading;
use super::stop::Stop;
use crate::compiled::Rollup;
use crate::ids::{Ids, RollupId, SourceId};

/// Most pages of changed children that the second look reads
const MAX_CHANGED_PAGES: u32 = 10;

impl Run<'_> {
    /// Whether children changed, came or went since
    pub(super) async fn anything_moved(&self, since: Timestamp) -> Result<bool, Stop> {
        for (source, object) in self.compiled.sources.entries() {
            // What is read for no definition that runs need not be looked at, and may be forbidden.
            if self.counting_children(source).next().is_none() {
                continue;
            }
            let filter = Filter::And(vec![Filter::Since("updatedAt".into(), since), Filter::with_deleted()]);
            let query = PageQuery { filter: Some(&filter), after: None, limit: 1 };
            self.outcome.spend(|spent| spent.rechecks += 1);
            match self.client.list(&object.names, query, &Projection::default()).await {
                Ok(page) if page.records.is_empty() && page.total_count == Some(0) => {}
                Ok(_) => return Ok(true),
                Err(error) => {
                    self.verification_failed(source, &error)?;
                    continue;
                }
            }
            // A record that was destroyed leaves nothing but a smaller count.
            if !self.reader.graphql.get() {
                continue;
            }
            self.outcome.spend(|spent| spent.rechecks += 1);
            match self.client.counts(&[&object.names]).await {
                Ok(counts) => {
                    let count = counts.first().copied();
                    let before = std::mem::replace(&mut self.reader.known[source].borrow_mut().count, count);
                    if before != count {
                        return Ok(true);
                    }
                }
                Err(error) if self.reader.disable_graphql(&error) => {}
                Err(error) => self.verification_failed(source, &error)?,
            }
        }
        Ok(false)
    }

    /// Rollups that still run and count the records of this object themselves, not totals of theirs
    fn counting_children(&self, source: SourceId) -> impl Iterator<Item = (RollupId, &Rollup)> {
        self.compiled.rollups.entries().filter(move |(index, rollup)| {
            rollup.child == source && rollup.needs.is_empty() && !self.outcome.record.borrow().is_dropped(*index)
        })
    }

    /// Takes an error of the second look: what was written stays right as far as this run could see.
    fn verification_failed(&self, source: SourceId, error: &ApiError) -> Result<(), Stop> {
        if let Some(stop) = Stop::of(error) {
            return Err(stop);
        }
        let mut record = self.outcome.record.borrow_mut();
        record.incomplete = true;
        record.note(format!(
            "{}: what changed while the run worked could not be seen: {error}",
            self.compiled.name(source)
        ));
        Ok(())
    }

    /// The second look by REST: parents whose children changed since the run began are computed again.
    ///
    /// A child that was moved meanwhile names its parent of before as well. What cannot be seen is a child that was
    /// destroyed meanwhile; the next rebuild repairs that.
    pub(super) async fn verify(&self, children: &[SourceId]) -> Result<(), Stop> {
        let targets = self.changed_since(children, self.reader.since()).await?;
        if targets.iter().all(Ids::is_empty) {
            return Ok(());
        }
        self.outcome.verifying.set(true);
        self.recompute(targets).await
    }

    /// Parents of the children of these objects that changed since, by rollup
    pub(crate) async fn changed_since(&self, children: &[SourceId], since: Timestamp) -> Result<RollupTargets, Stop> {
        let mut targets = self.compiled.no_targets();
        for &source in children {
            if let Err(error) = self.changed_parents(source, since, &mut targets).await {
                self.verification_failed(source, &error)?;
            }
        }
        Ok(targets)
    }

    /// Finds the parents of the children that changed since, by the index of the rollup
    async fn changed_parents(
        &self,
        source: SourceId,
        since: Timestamp,
        targets: &mut RollupTargets,
    ) -> Result<(), ApiError> {
        let object = &self.compiled.sources[source];
        let mut keep = Projection::default();
        let rollups = self.counting_children(source);
        let relations: Vec<_> = rollups.map(|(index, rollup)| (index, keep.add(&rollup.relation_field))).collect();
        if relations.is_empty() {
            return Ok(());
        }
        let filter = Filter::And(vec![Filter::Since("updatedAt".into(), since), Filter::with_deleted()]);
        let (mut after, mut pages) = (None::<String>, 0);
        let (mut reading, mut readings) = (Reading::default(), 1);
        loop {
            let query = PageQuery { filter: Some(&filter), after: after.as_deref(), limit: self.options.page_size };
            self.outcome.spend(|spent| spent.rechecks += 1);
            let page = self.client.list(&object.names, query, &keep).await?;
            pages += 1;
            reading.add_page(&page);
            for row in &page.records {
                for (index, slot) in &relations {
                    let before = self.tallies.folds[*index].borrow().parent_of(row.id);
                    targets[*index].extend(row.value(*slot).id().into_iter().chain(before));
                }
            }
            if !page.has_next_page {
                if self.reader.is_short(source, &reading, readings)? {
                    (reading, readings, after, pages) = (Reading::default(), readings + 1, None, 0);
                    continue;
                }
                return Ok(());
            }
            if pages == MAX_CHANGED_PAGES {
                let total = page.total_count.unwrap_or(0);
                self.outcome.record.borrow_mut().note(format!(
                    "{}: {total} records changed while the run worked, the next run takes up those that it did not see",
                    object.names.singular
                ));
                return Ok(());
            }
            after = page.end_cursor;
        }
    }
}
