//! Every parent of every definition, in the way that the plan chose.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, FutureExt, select};
use futures_util::stream::FuturesUnordered;
use ports::Timestamp;

use super::Run;
use super::groups::Parents;
use super::read::{MAX_GRAPHQL_PAGE, Reading};
use super::settle::Write;
use super::stop::Stop;
use crate::checkpoint::Remaining;
use crate::compiled::{Step, stages};
use crate::fold::Fold;
use crate::ids::{Ids, RollupId, SourceId};

/// How long parents that differ are collected for a full batch before they are written
const COLLECT_TIMEOUT: Duration = Duration::from_secs(4);

/// Parents that wait to be written while others are read
const MAX_WAITING_WRITES: usize = 5_000;

/// Most repetitions of a whole comparison because children moved while it worked
const MAX_VERIFICATIONS: u32 = 3;

impl Run<'_> {
    /// What a rebuild would cost
    pub(crate) async fn plan(&self, pace: twenty::rate_limiter::RateLimit) -> Result<(), Stop> {
        let choice = self.survey(pace).await?;
        self.set_plan(&choice);
        Ok(())
    }

    /// Recomputes whatever may have changed without being told: everything where the server adds up, else the parents of
    /// the children that changed since.
    pub(crate) async fn sweep(&self, pace: twenty::rate_limiter::RateLimit, since: Timestamp) -> Result<(), Stop> {
        if self.reader.graphql.get() {
            let choice = self.survey(pace).await?;
            if self.reader.graphql.get() && !choice.sliced {
                self.set_plan(&choice);
                return self.read_through().await;
            }
        }
        let targets = self.changed_since(&self.children_of_all(), since).await?;
        if targets.iter().all(Ids::is_empty) {
            return Ok(());
        }
        self.recompute(targets).await
    }

    /// Recomputes everything, or what is left of it, then verifies what moved meanwhile.
    pub(crate) async fn rebuild(
        &self,
        pace: twenty::rate_limiter::RateLimit,
        from: Option<&Remaining>,
    ) -> Result<(), Stop> {
        let choice = self.survey(pace).await?;
        self.set_plan(&choice);
        if choice.sliced {
            return self.slice_by_slice(from).await;
        }
        self.read_through().await
    }

    /// Group by group and object by object, each read once
    async fn read_through(&self) -> Result<(), Stop> {
        // Nothing of it is skipped by a run that goes on: comparing again what is right costs less than it would save.
        self.outcome.position.replace(self.compiled.sources.ids().next().map(|first| (first, None)));
        let mut verifications = 0;
        loop {
            let began = self.client.host().now();
            for fold in &self.tallies.folds {
                fold.replace(Fold::default());
            }
            if !self.reader.graphql.get() {
                self.tallies.grouped.borrow_mut().clear();
            }
            let steps: Vec<Step> =
                stages(self.compiled, &self.tallies.grouped.borrow()).into_iter().flatten().collect();
            for step in &steps {
                self.scan(step).await?;
            }
            verifications += 1;
            // Where nothing was written, nothing newer was overwritten.
            if self.options.dry || !self.outcome.wrote.get() {
                return Ok(());
            }
            // Children that the server added up were not read: their parents of before are not known, also if GraphQL has gone since.
            let again = self.reader.graphql.get() || !self.tallies.grouped.borrow().is_empty();
            if !again || verifications > MAX_VERIFICATIONS {
                break;
            }
            if !self.anything_moved(self.reader.server_time(began)).await? {
                return Ok(());
            }
            self.outcome.verifying.set(true);
            self.outcome.wrote.set(false);
        }
        self.verify(&self.children_of_all()).await
    }

    /// Reads all records of one object; a reading that ends before the count is repeated once.
    ///
    /// But not one that has settled parents: their tallies are gone, and they would be found without children.
    async fn scan(&self, step: &Step) -> Result<(), Stop> {
        for &index in &step.settles {
            self.group_for(index).await?;
        }
        for attempt in 1..=2 {
            let Some((seen, counted)) = self.read_all(step).await?.shortfall() else { return Ok(()) };
            let last = attempt == 2 || !step.settles.is_empty();
            let reason =
                || format!("only {seen} of {counted} records of `{}` could be read", self.compiled.name(step.source));
            for &index in &step.folds {
                if last {
                    self.outcome.record.borrow_mut().cut_short(index, reason());
                } else {
                    self.tallies.folds[index].replace(Fold::default());
                }
            }
            if last {
                let mut record = self.outcome.record.borrow_mut();
                record.incomplete = true;
                record.note(reason());
                break;
            }
        }
        Ok(())
    }

    /// Has the server add up the children of a rollup, where the plan says so; where it cannot after all, they are read.
    async fn group_for(&self, index: RollupId) -> Result<(), Stop> {
        let rollup = &self.compiled.rollups[index];
        let nothing = self.outcome.counted(rollup.parent) == Some(0) || self.outcome.counted(rollup.child) == Some(0);
        // What is counted as empty may have filled since: the first look takes the count's word, later ones do not.
        if !self.tallies.grouped.borrow().contains(&index) || (nothing && !self.outcome.verifying.get()) {
            return Ok(());
        }
        if self.group(index, Parents::All).await? {
            return Ok(());
        }
        self.tallies.grouped.borrow_mut().retain(|other| *other != index);
        self.tallies.folds[index].replace(Fold::default());
        let step = Step { source: rollup.child, folds: vec![index], settles: Vec::new() };
        Box::pin(self.scan(&step)).await
    }

    /// Reads an object page by page: folds the records into their parents, settles them as parents.
    async fn read_all(&self, step: &Step) -> Result<Reading, Stop> {
        let mut reading_so_far = Reading::default();
        if self.outcome.counted(step.source) == Some(0) && !self.outcome.verifying.get() {
            return Ok(reading_so_far);
        }
        let mut writing = FuturesUnordered::new();
        let mut pool: Vec<Write> = Vec::new();
        let mut after = None::<String>;
        loop {
            if !step.folds.iter().chain(&step.settles).any(|rollup| !self.outcome.record.borrow().is_dropped(*rollup)) {
                reading_so_far.given_up = true;
                break;
            }
            let first = self.reader.known[step.source].borrow_mut().first_page.take();
            let page = match first {
                Some((page, read_at)) if after.is_none() => Ok((page, read_at)),
                // The page comes while earlier parents are being written.
                _ => {
                    let mut reading =
                        pin!(self.reader.page(step.source, None, after.as_deref(), MAX_GRAPHQL_PAGE).boxed_local());
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
                }
            };
            let (page, read_at) = match page {
                Ok(page) => page,
                Err(error) if error.is_unsupported() => continue,
                Err(error) => {
                    self.outcome.give_up(step.source, &error)?;
                    reading_so_far.given_up = true;
                    break;
                }
            };
            reading_so_far.add_page(&page);
            for mut row in page.records {
                if !step.settles.is_empty() {
                    pool.extend(self.settle(step.source, &step.settles, &mut row, read_at));
                }
                self.tallies.fold(&step.folds, [&row]);
            }
            self.outcome.progress(
                "page_read",
                step.source,
                &[("records", reading_so_far.seen), ("of", page.total_count.unwrap_or(0))],
            );
            let waited = pool.first().is_some_and(|first| read_at.since(first.read_at) >= COLLECT_TIMEOUT);
            let full = pool.len() >= self.writer.batch_size.get();
            // One queue at a time: parents that wait side by side would be looked at again for each.
            if (waited || full) && writing.is_empty() {
                writing.push(self.writer.write(step.source, std::mem::take(&mut pool)).boxed_local());
            }
            if !page.has_next_page {
                break;
            }
            // What waits to be written takes memory; more of it is read when there is room.
            if pool.len() >= MAX_WAITING_WRITES {
                while let Some(written) = writing.next().await {
                    written?;
                }
                writing.push(self.writer.write(step.source, std::mem::take(&mut pool)).boxed_local());
            }
            after = page.end_cursor;
        }
        while let Some(written) = writing.next().await {
            written?;
        }
        self.writer.write(step.source, pool).await?;
        self.note_moved_count(step.source, &reading_so_far);
        Ok(reading_so_far)
    }

    /// Rows seen against the count: a difference means that records came or went while paging.
    fn note_moved_count(&self, source: SourceId, reading: &Reading) {
        if let (false, Some(first), Some(last)) = (reading.given_up, reading.first_count, reading.last_count)
            && (last != reading.seen || first != last)
        {
            let (seen, name) = (reading.seen, self.compiled.name(source));
            self.outcome
                .record
                .borrow_mut()
                .note(format!("{name}: {seen} records were read while their count went from {first} to {last}"));
        }
    }
}
