//! Every parent of every definition, each object read once.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, join_all, select};
use futures_util::stream::FuturesUnordered;
use twenty::client::PageQuery;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::gather::insert_in_order;
use twenty::page::Projection;
use twenty::value::Value;
use twenty::{Host, Timestamp};
use uuid::Uuid;

use super::settle::Write;
use super::{Run, Stop};
use crate::program::{Step, waves};
use crate::trigger::{Ids, Targets};

/// How long parents that differ are collected for a full batch before they are written
const COLLECT: Duration = Duration::from_secs(4);

/// Most pages of changed children that the second look reads
const MOST_CHANGED_PAGES: u32 = 10;

impl<H: Host> Run<'_, H> {
    /// Recomputes everything, then looks again at what moved meanwhile.
    pub(crate) async fn rebuild(&self) -> Result<(), Stop> {
        let began = self.client.host().now();
        let mut children = Vec::new();
        for wave in waves(self.program) {
            for step in wave.iter().filter(|step| !step.folds.is_empty()) {
                insert_in_order(&mut children, step.source);
            }
            for result in join_all(wave.iter().map(|step| self.scan(step))).await {
                result?;
            }
        }
        self.look_again(began, &children).await
    }

    /// Reads all records of one object: folds them into their parents, settles them as parents.
    async fn scan(&self, step: &Step) -> Result<(), Stop> {
        let Some(source) = self.program.sources.get(step.source) else { return Ok(()) };
        let mut writing = FuturesUnordered::new();
        let mut pool: Vec<Write> = Vec::new();
        let (mut after, mut seen, mut counts) = (None::<String>, 0_u64, (None, None));
        loop {
            if !step.folds.iter().chain(&step.settles).any(|rollup| !self.record.borrow().is_dropped(*rollup)) {
                break;
            }
            // The page comes while earlier parents are being written.
            let page = {
                let query = PageQuery { filter: None, after: after.as_deref(), limit: self.page_size };
                let mut reading = pin!(self.client.list(&source.names, query, &source.keep));
                loop {
                    if writing.is_empty() {
                        break reading.await;
                    }
                    match select(writing.next(), reading).await {
                        Either::Left((written, still_reading)) => {
                            written.unwrap_or(Ok(()))?;
                            reading = still_reading;
                        }
                        Either::Right((page, _)) => break page,
                    }
                }
            };
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    self.give_up(step.source, &error)?;
                    break;
                }
            };
            let read_at = self.client.host().now();
            seen += page.records.len() as u64;
            counts = (counts.0.or(page.total_count), page.total_count);
            for mut row in page.records {
                if !step.settles.is_empty() {
                    pool.extend(self.settle(step.source, &step.settles, &mut row, read_at));
                }
                for &index in &step.folds {
                    if let (Some(rollup), Some(fold)) = (self.program.rollups.get(index), self.folds.get(index)) {
                        fold.borrow_mut().take(rollup, &row);
                    }
                }
            }
            self.progress("page_read", step.source, &[("records", seen), ("of", page.total_count.unwrap_or(0))]);
            let waited = pool.first().is_some_and(|first| read_at.since(first.read_at) >= COLLECT);
            let full = pool.len() >= self.batch_size.get();
            if !pool.is_empty() && (waited || full || !page.has_next_page) {
                writing.push(self.write(step.source, std::mem::take(&mut pool)));
            }
            if !page.has_next_page {
                break;
            }
            after = page.end_cursor;
        }
        while let Some(written) = writing.next().await {
            written?;
        }
        self.check_count(step.source, seen, counts);
        Ok(())
    }

    /// Rows seen against the count: a difference means that records came or went while paging.
    fn check_count(&self, source: usize, seen: u64, (first, last): (Option<u64>, Option<u64>)) {
        if last.is_some_and(|last| last != seen) || first != last {
            let (first, last) = (first.unwrap_or(0), last.unwrap_or(0));
            self.record.borrow_mut().note(format!(
                "{}: {seen} records were read while their count went from {first} to {last}",
                self.name(source)
            ));
        }
    }

    /// The second look: parents whose children changed since the run began are computed again.
    ///
    /// What it cannot see: a child that was destroyed meanwhile, and the old parent of one that was moved. Their events,
    /// and the next rebuild, repair those.
    async fn look_again(&self, began: Timestamp, children: &[usize]) -> Result<(), Stop> {
        // By the server's clock where it tells it; ours may be off by some seconds.
        let since = match self.client.first_answer() {
            Some(answer) => answer - Duration::from_secs(2),
            None => began - Duration::from_mins(1),
        };
        let mut targets = vec![Ids::default(); self.program.rollups.len()];
        for &source in children {
            if let Err(error) = self.changed_parents(source, since, &mut targets).await {
                self.give_up(source, &error)?;
            }
        }
        if targets.iter().all(Ids::is_empty) {
            return Ok(());
        }
        self.again.set(true);
        self.recompute(targets).await
    }

    /// Finds the parents of the children that changed since, by the index of the rollup
    async fn changed_parents(&self, source: usize, since: Timestamp, targets: &mut Targets) -> Result<(), ApiError> {
        let Some(object) = self.program.sources.get(source) else { return Ok(()) };
        let rollups = self.program.rollups.iter().enumerate().filter(|(index, rollup)| {
            rollup.child == source && rollup.needs.is_empty() && !self.record.borrow().is_dropped(*index)
        });
        let mut keep = Projection::default();
        let relations: Vec<_> = rollups.map(|(index, rollup)| (index, keep.add(&rollup.relation_field))).collect();
        if relations.is_empty() {
            return Ok(());
        }
        let filter = Filter::And(vec![Filter::Since("updatedAt".into(), since), Filter::with_deleted()]);
        let (mut after, mut pages) = (None::<String>, 0);
        loop {
            let query = PageQuery { filter: Some(&filter), after: after.as_deref(), limit: self.page_size };
            let page = self.client.list(&object.names, query, &keep).await?;
            pages += 1;
            for row in &page.records {
                for (index, place) in &relations {
                    if let (Some(parent), Some(ids)) = (related(row.value(*place)), targets.get_mut(*index)) {
                        ids.insert(parent);
                    }
                }
            }
            if !page.has_next_page {
                return Ok(());
            }
            if pages == MOST_CHANGED_PAGES {
                let total = page.total_count.unwrap_or(0);
                self.record.borrow_mut().note(format!(
                    "{}: {total} records changed while the run worked, the next run takes up those that it did not see",
                    object.names.singular
                ));
                return Ok(());
            }
            after = page.end_cursor;
        }
    }
}

/// The record that a value leads to, if it is the id of one
#[must_use]
pub(super) fn related(value: &Value) -> Option<Uuid> {
    value.text().and_then(|id| Uuid::try_parse(id).ok())
}
