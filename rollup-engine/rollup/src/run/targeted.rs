//! Exactly the parents that were named, and those above them whose totals depend on theirs.
//!
//! Three passes over the objects:
//! 1. upwards: from the named parents to the parents above them (a donor's household);
//! 2. downwards: a household is only right if all its members are, so those are computed as well;
//! 3. upwards again: read the children, add up, compare, write.

use std::collections::BTreeSet;
use std::time::Duration;

use twenty::filter::Filter;
use uuid::Uuid;

use super::Run;
use super::groups::Parents;
use super::options::{CONTINUATION_INTERVAL, RollupTargets};
use super::read::{MAX_GRAPHQL_IDS, MAX_GRAPHQL_PAGE, Reading};
use super::rows::Rows;
use super::slice_size::before;
use super::stop::Stop;
use crate::compiled::{CompiledRollups, Rollup, settle_order};
use crate::fold::Fold;
use crate::ids::{IdList, Ids, RollupId, SourceId};

/// Children that are read by one request before the server is asked to add up instead
const MAX_READ_CHILDREN: usize = 2_000;

/// A computation that took longer is verified: another run may have been in between
const MAX_UNVERIFIED_TIME: Duration = Duration::from_secs(1);

/// Most repetitions of a computation
const MAX_VERIFICATIONS: u32 = 3;

/// The state of one targeted computation
#[derive(Debug)]
pub(super) struct Scope {
    /// Parents that were named, or lie above named ones, by source
    named: IdList<SourceId, Ids>,
    /// Live rows, by source: the named ones, and the children of parents that need all of theirs computed
    pub(super) rows: IdList<SourceId, Rows>,
    /// Rollups to compute
    active: BTreeSet<RollupId>,
    /// Parents to compute afterwards, by rollup
    deferred: RollupTargets,
    /// Objects in the order in which they are settled
    order: Vec<SourceId>,
    /// Whether anything was to be written
    wrote: bool,
    /// The object that is taken slice by slice, and whether a run can go on within a slice
    slice: Option<(SourceId, bool)>,
}

impl Scope {
    pub(super) fn new(compiled: &CompiledRollups, order: Vec<SourceId>) -> Self {
        Self {
            named: compiled.sources.iter().map(|_| Ids::default()).collect(),
            rows: compiled.sources.iter().map(|_| Rows::default()).collect(),
            active: BTreeSet::new(),
            deferred: compiled.rollups.iter().map(|_| Ids::default()).collect(),
            order,
            wrote: false,
            slice: None,
        }
    }

    /// Whether the children of a rollup carry their own totals by the time the parents are computed
    pub(super) fn is_settled_first(&self, rollup: &Rollup) -> bool {
        let place = |source: SourceId| self.order.iter().position(|other| *other == source);
        !rollup.needs.is_empty() && place(rollup.child) < place(rollup.parent)
    }
}

impl Run<'_> {
    /// Recomputes these parents, given by the index of the rollup, and those above them.
    ///
    /// Where it took so long that other runs may have read and written meanwhile, the run verifies what it wrote.
    pub(crate) async fn recompute(&self, targets: RollupTargets) -> Result<(), Stop> {
        let mut due = targets;
        self.outcome.rest.replace(due.clone());
        // Totals over totals of the same object come in rounds of their own; definitions in a circle are refused.
        for _ in 0..=self.compiled.rollups.len() {
            if self.options.dry {
                self.compute_below(&due).await?;
            }
            let mut verifications = 0;
            let deferred = loop {
                let began = self.client.host().now();
                let Scope { deferred, wrote, .. } = self.pass(&due).await?;
                verifications += 1;
                let slow = self.client.host().now().since(began) > MAX_UNVERIFIED_TIME;
                if !wrote || self.options.dry || !slow || verifications > MAX_VERIFICATIONS {
                    break deferred;
                }
                self.outcome.verifying.set(true);
            };
            self.outcome.rest.replace(deferred.clone());
            if deferred.iter().all(Ids::is_empty) {
                return Ok(());
            }
            due = deferred;
        }
        Ok(())
    }

    /// Recomputes these parents; after some refusals for the rate limit it stops, if another run can be started for the rest.
    pub(crate) async fn recompute_or_continue_later(&self, targets: RollupTargets, refusals: u64) -> Result<(), Stop> {
        self.client.set_max_throttles(Some(refusals));
        let end = self.recompute(targets).await;
        let in_time = self.client.deadline().is_none_or(|deadline| self.client.host().now() < deadline);
        if end != Err(Stop::OutOfTime) || !in_time {
            return end;
        }
        if let Some(checkpoint) = self.outcome.checkpoint()
            && self.client.host().enqueue(&checkpoint.to_payload(), CONTINUATION_INTERVAL).await
        {
            self.outcome.continued.set(true);
            return end;
        }
        self.client.set_max_throttles(None);
        self.outcome.verifying.set(true);
        let rest = self.outcome.rest.borrow().clone();
        self.recompute(rest).await
    }

    /// Computes what the totals of these parents read, from the bottom up, where their own computation would take it as it
    /// is stored.
    pub(super) async fn compute_below(&self, targets: &RollupTargets) -> Result<(), Stop> {
        let scope = Scope::new(self.compiled, settle_order(self.compiled));
        let (mut children, mut stored) = (self.compiled.no_targets(), self.compiled.no_targets());
        for (index, ids) in targets.entries() {
            let rollup = &self.compiled.rollups[index];
            if ids.is_empty() || rollup.needs.is_empty() {
                continue;
            }
            let below = self.reader.read_by(rollup.child, &rollup.relation_field, ids).await?.ids();
            for needed in &rollup.needs {
                children[*needed].extend(below.as_slice().iter().copied());
                if !scope.is_settled_first(rollup) {
                    stored[*needed].extend(below.as_slice().iter().copied());
                }
            }
        }
        if children.iter().any(|ids| !ids.is_empty()) {
            Box::pin(self.compute_below(&children)).await?;
        }
        if stored.iter().all(Ids::is_empty) {
            return Ok(());
        }
        // They are compared on the way, which is no matter of the run.
        let verifying = self.outcome.verifying.replace(true);
        self.below.keep_all(true);
        let end = self.pass(&stored).await;
        self.below.keep_all(false);
        self.outcome.verifying.set(verifying);
        end.map(drop)
    }

    /// Computes and writes once. Gives what was read, the parents that lie above in the same object or in one that was
    /// settled before, and whether anything was to be written.
    pub(super) async fn pass(&self, targets: &RollupTargets) -> Result<Scope, Stop> {
        let order = settle_order(self.compiled);
        let mut scope = Scope::new(self.compiled, order.clone());
        for (index, ids) in targets.entries().filter(|(_, ids)| !ids.is_empty()) {
            scope.named[self.compiled.rollups[index].parent].extend(ids.as_slice().iter().copied());
            scope.active.insert(index);
        }
        for source in &order {
            self.go_up(*source, &mut scope).await?;
        }
        for source in order.iter().rev() {
            self.go_down(*source, &mut scope).await?;
        }
        for source in &order {
            self.compute(*source, &mut scope).await?;
        }
        Ok(scope)
    }

    /// Computes these rows of one object, and the children that their totals need.
    pub(super) async fn slice_of(
        &self,
        source: SourceId,
        rows: Rows,
        order: &[SourceId],
        makes_cursors: bool,
    ) -> Result<(), Stop> {
        let mut scope = Scope::new(self.compiled, order.to_vec());
        scope.active = self.compiled.into_parent(source).collect();
        scope.slice = Some((source, makes_cursors));
        scope.rows[source] = rows;
        for source in order.iter().rev() {
            self.go_down(*source, &mut scope).await?;
        }
        let again = self.outcome.verifying.get();
        for below in order {
            // The children that are parents themselves were counted in slices of their own.
            self.outcome.verifying.set(again || *below != source);
            self.compute(*below, &mut scope).await?;
        }
        self.outcome.verifying.set(again);
        Ok(())
    }

    /// Reads the named records of an object, and names the parents above them.
    async fn go_up(&self, source: SourceId, scope: &mut Scope) -> Result<(), Stop> {
        let ids = scope.named[source].clone();
        let rows = self.reader.read_by(source, "id", &ids).await?;
        if self.outcome.notes_absent.get() {
            for id in ids.as_slice().iter().filter(|id| rows.get(**id).is_none()) {
                let note = format!("there is no {} {id}, or it is deleted", self.compiled.name(source));
                self.outcome.record.borrow_mut().note(note);
            }
        }
        for (index, rollup) in self.compiled.rollups.entries() {
            if rollup.child == source && rollup.needs.iter().any(|needed| scope.active.contains(needed)) {
                let above: Ids = rows.rows().filter_map(|row| row.value(rollup.relation).id()).collect();
                if !scope.is_settled_first(rollup) {
                    scope.deferred[index].extend(above.as_slice().iter().copied());
                } else if !above.is_empty() {
                    scope.named[rollup.parent].extend(above.as_slice().iter().copied());
                    scope.active.insert(index);
                }
            }
        }
        scope.rows[source] = rows;
        Ok(())
    }

    /// Reads the other children of parents whose totals are made of totals.
    async fn go_down(&self, source: SourceId, scope: &mut Scope) -> Result<(), Stop> {
        for (index, rollup) in self.compiled.rollups.entries() {
            if rollup.child != source || !scope.is_settled_first(rollup) || !scope.active.contains(&index) {
                continue;
            }
            let parents = scope.rows[rollup.parent].ids();
            let members = self.reader.read_by(source, &rollup.relation_field, &parents).await?;
            scope.rows[source].add(members);
            for needed in &rollup.needs {
                scope.active.insert(*needed);
            }
        }
        Ok(())
    }

    /// Folds the children of an object's rows, settles the rows, writes those that differ.
    async fn compute(&self, source: SourceId, scope: &mut Scope) -> Result<(), Stop> {
        let mut rows = std::mem::take(&mut scope.rows[source]);
        if rows.0.is_empty() {
            return Ok(());
        }
        let settles: Vec<RollupId> =
            self.compiled.into_parent(source).filter(|rollup| scope.active.contains(rollup)).collect();
        let parents = rows.ids();
        // One reading of the children serves all rollups of the same relation.
        let mut readings: Vec<(SourceId, &str, Vec<RollupId>)> = Vec::new();
        for &index in &settles {
            let rollup = &self.compiled.rollups[index];
            self.tallies.folds[index].replace(Fold::default());
            if scope.is_settled_first(rollup) {
                // The children were settled in this computation and carry their totals.
                self.tallies.fold(&[index], scope.rows[rollup.child].rows());
                continue;
            }
            let same = |reading: &&mut (SourceId, &str, Vec<RollupId>)| {
                (reading.0, reading.1) == (rollup.child, &rollup.relation_field)
            };
            match readings.iter_mut().find(same) {
                Some((_, _, rollups)) => rollups.push(index),
                None => readings.push((rollup.child, &rollup.relation_field, vec![index])),
            }
        }
        let slice = scope.slice.filter(|(sliced, _)| *sliced == source);
        for (child, relation, rollups) in readings {
            if slice.is_some() {
                self.fold_range(child, relation, &rollups, &parents).await?;
            } else {
                self.fold_children(child, relation, &rollups, parents.as_slice()).await?;
            }
        }
        // A large slice is written in portions, so that neither the writes take much memory nor a stop costs much time.
        let portion = || if slice.is_some() { self.writer.parents_per_reading(source) } else { usize::MAX };
        let (mut writes, mut differ, mut enough) = (Vec::new(), 0, portion());
        for (row, read_at) in &mut rows.0 {
            let write = self.settle(source, &settles, row, *read_at);
            differ += usize::from(write.is_some());
            writes.extend(write);
            while writes.len() >= enough {
                writes = self.writer.write_some(source, writes).await?;
                enough = portion();
                if let Some((_, true)) = slice {
                    self.go_on_after(source, writes.iter().map(|left| before(left.id)).min().unwrap_or(row.id));
                }
            }
        }
        scope.wrote |= differ > 0;
        let of = self.outcome.counted(source).unwrap_or(0);
        let parents = rows.0.len() as u64;
        self.outcome.progress(
            "parents_compared",
            source,
            &[("parents", parents), ("of", of), ("differ", differ as u64)],
        );
        scope.rows[source] = rows;
        self.writer.write(source, writes).await
    }

    /// As [`Self::fold_children`], for parents that are all there are between the first id and the last: a large slice of
    /// them is grouped by that range.
    async fn fold_range(
        &self,
        child: SourceId,
        relation: &str,
        rollups: &[RollupId],
        parents: &Ids,
    ) -> Result<(), Stop> {
        let mut left = parents.as_slice();
        while let [first, ..] = left
            && left.len() > self.options.sizes.smallest_slice
            && self.slice_size.get() > self.options.sizes.smallest_slice
            && rollups.iter().all(|index| self.group_sets(*index).is_some())
        {
            let (part, others) = left.split_at(left.len().min(self.slice_size.get()));
            let range = Parents::Range(*first, *part.last().unwrap_or(first));
            let mut whole = true;
            for &index in rollups {
                let watch = self.start_timer();
                whole = whole && self.group(index, range).await?;
                self.answer_time(watch, part.len());
            }
            if whole {
                left = others;
                continue;
            }
            // What came before it would be counted twice.
            self.tallies.release(rollups, part);
            self.halve_slices(part.len(), "the groups of the children were refused");
        }
        self.fold_children(child, relation, rollups, left).await
    }

    /// Fills the tallies of rollups that share a relation, for these parents.
    ///
    /// Where one set of groups says it all, the server adds up; else the children are read, as long as they are few.
    async fn fold_children(
        &self,
        child: SourceId,
        relation: &str,
        rollups: &[RollupId],
        parents: &[Uuid],
    ) -> Result<(), Stop> {
        let sets: Option<usize> = rollups.iter().map(|index| self.group_sets(*index).map(|sets| sets.len())).sum();
        let exceptions = rollups.iter().any(|index| self.has_exceptions(*index));
        // The server adds up what is stored.
        let may_group = !self.below.has(child);
        if may_group && sets == Some(1) && !exceptions && self.group_each(rollups, parents).await? {
            return Ok(());
        }
        let mut left = parents;
        while !left.is_empty() {
            let (chunk, others) = self.reader.portion(child, left);
            let ids = Filter::IdIn(relation.to_owned(), chunk.to_vec());
            let mut rows = Rows::default();
            let mut after = None::<String>;
            let (mut reading, mut readings) = (Reading::default(), 1);
            // Where GraphQL falls away, fewer of them are asked for anew.
            while chunk.len() <= self.reader.max_ids(child) {
                let most = if after.is_none() { MAX_READ_CHILDREN } else { MAX_GRAPHQL_PAGE };
                let (page, read_at) = match self.reader.page(child, Some(&ids), after.as_deref(), most).await {
                    Ok(page) => page,
                    Err(error) if error.is_unsupported() => continue,
                    Err(error) => return self.outcome.give_up(child, &error),
                };
                // These are too many to be carried over one by one, if the server can add them up.
                if may_group && page.has_next_page && after.is_none() && self.group_each(rollups, left).await? {
                    return Ok(());
                }
                reading.add_page(&page);
                for row in page.records {
                    rows.insert(row, read_at);
                }
                if !page.has_next_page {
                    match self.reader.is_short(child, &reading, readings) {
                        Ok(false) => {}
                        Ok(true) => {
                            (reading, readings, after) = (Reading::default(), readings + 1, None);
                            rows = Rows::default();
                            continue;
                        }
                        Err(error) => return self.outcome.give_up(child, &error),
                    }
                    self.below.put_into(child, &mut rows);
                    self.tallies.fold(rollups, rows.rows());
                    left = others;
                    break;
                }
                after = page.end_cursor;
            }
        }
        Ok(())
    }

    /// Adds the groups of these parents to the tallies; false if the server cannot add all of them up.
    async fn group_each(&self, rollups: &[RollupId], parents: &[Uuid]) -> Result<bool, Stop> {
        if rollups.iter().any(|index| self.group_sets(*index).is_none()) {
            return Ok(false);
        }
        for &index in rollups {
            for chunk in parents.chunks(MAX_GRAPHQL_IDS) {
                if !self.group(index, Parents::Listed(&chunk.iter().copied().collect())).await? {
                    // What came before it would be counted twice.
                    self.tallies.release(rollups, parents);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}
