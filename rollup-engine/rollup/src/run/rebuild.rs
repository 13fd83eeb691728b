//! Every parent of every definition, each object read once.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, FutureExt, select};
use futures_util::stream::FuturesUnordered;
use twenty::client::PageQuery;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::gather::insert_in_order;
use twenty::page::{Page, Projection};
use twenty::{Host, Timestamp};

use super::settle::Write;
use super::{Run, Stop};
use crate::fold::Fold;
use crate::program::{Step, waves};
use crate::trigger::{Ids, Targets};

/// How long parents that differ are collected for a full batch before they are written
const COLLECT: Duration = Duration::from_secs(4);

/// Most pages of changed children that the second look reads
const MOST_CHANGED_PAGES: u32 = 10;

impl<H: Host> Run<'_, H> {
    /// Recomputes everything, then looks again at what moved meanwhile.
    pub(crate) async fn rebuild(&self) -> Result<(), Stop> {
        let mut children = Vec::new();
        for wave in waves(self.program) {
            for step in wave.iter().filter(|step| !step.folds.is_empty()) {
                insert_in_order(&mut children, step.source);
            }
            // All objects of the wave are read to their end, whatever happens to one of them.
            let mut scans: FuturesUnordered<_> = wave.iter().map(|step| self.scan(step).boxed_local()).collect();
            let mut end = Ok(());
            while let Some(result) = scans.next().await {
                end = end.and(result);
            }
            end?;
        }
        self.look_again(&children).await
    }

    /// Reads all records of one object; a reading that ends before the count is repeated once.
    async fn scan(&self, step: &Step) -> Result<(), Stop> {
        for attempt in 1..=2 {
            let Some((seen, counted)) = self.read_all(step).await?.shortfall() else { return Ok(()) };
            for &index in &step.folds {
                if attempt == 1 {
                    self.folds.get(index).map(|fold| fold.replace(Fold::default()));
                } else {
                    let reason =
                        format!("only {seen} of {counted} records of `{}` could be read", self.name(step.source));
                    self.record.borrow_mut().cut_short(index, reason);
                }
            }
        }
        Ok(())
    }

    /// Reads an object page by page: folds the records into their parents, settles them as parents.
    async fn read_all(&self, step: &Step) -> Result<Reading, Stop> {
        let mut reading_so_far = Reading::default();
        let Some(source) = self.program.sources.get(step.source) else { return Ok(reading_so_far) };
        let mut writing = FuturesUnordered::new();
        let mut pool: Vec<Write> = Vec::new();
        let mut after = None::<String>;
        loop {
            if !step.folds.iter().chain(&step.settles).any(|rollup| !self.record.borrow().is_dropped(*rollup)) {
                reading_so_far.given_up = true;
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
                    reading_so_far.given_up = true;
                    break;
                }
            };
            let read_at = self.client.host().now();
            reading_so_far.take(&page);
            for mut row in page.records {
                if !step.settles.is_empty() {
                    pool.extend(self.settle(step.source, &step.settles, &mut row, read_at));
                }
                self.fold(&step.folds, [&row]);
            }
            self.progress(
                "page_read",
                step.source,
                &[("records", reading_so_far.seen), ("of", page.total_count.unwrap_or(0))],
            );
            let waited = pool.first().is_some_and(|first| read_at.since(first.read_at) >= COLLECT);
            let full = pool.len() >= self.batch_size.get();
            if waited || full {
                writing.push(self.write(step.source, std::mem::take(&mut pool)).boxed_local());
            }
            if !page.has_next_page {
                break;
            }
            after = page.end_cursor;
        }
        if !pool.is_empty() {
            writing.push(self.write(step.source, pool).boxed_local());
        }
        while let Some(written) = writing.next().await {
            written?;
        }
        self.note_moved_count(step.source, &reading_so_far);
        Ok(reading_so_far)
    }

    /// Rows seen against the count: a difference means that records came or went while paging.
    fn note_moved_count(&self, source: usize, reading: &Reading) {
        if let (false, Some(first), Some(last)) = (reading.given_up, reading.first_count, reading.last_count)
            && (last != reading.seen || first != last)
        {
            let (seen, name) = (reading.seen, self.name(source));
            self.record
                .borrow_mut()
                .note(format!("{name}: {seen} records were read while their count went from {first} to {last}"));
        }
    }

    /// The second look: parents whose children changed since the run began are computed again.
    ///
    /// A child that was moved meanwhile names its parent of before as well. What cannot be seen is a child that was
    /// destroyed meanwhile; the next rebuild repairs that.
    async fn look_again(&self, children: &[usize]) -> Result<(), Stop> {
        let since = self.since();
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
                    let before = self.folds.get(*index).and_then(|fold| fold.borrow().parent_of(row.id));
                    if let Some(ids) = targets.get_mut(*index) {
                        ids.extend(row.value(*place).id().into_iter().chain(before));
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

/// How far the reading of an object came
#[derive(Debug, Default)]
struct Reading {
    seen: u64,
    first_count: Option<u64>,
    last_count: Option<u64>,
    /// Whether it was ended for another reason than the end of the pages
    given_up: bool,
}

impl Reading {
    fn take(&mut self, page: &Page) {
        self.seen += page.records.len() as u64;
        self.first_count = self.first_count.or(page.total_count);
        self.last_count = page.total_count;
    }

    /// Rows seen and counted, if fewer were seen than there were at any time
    fn shortfall(&self) -> Option<(u64, u64)> {
        let counted = self.first_count?.min(self.last_count?);
        (!self.given_up && self.seen < counted).then_some((self.seen, counted))
    }
}
