//! A rebuild in slices: a page of parents, their children, compare, write, and on to the next page.
//!
//! Each slice is complete in itself, so that a run may stop after any of them and another goes on from its cursor. Where
//! the server adds up all children of an object's parents, its slices are large: one page of parents, whose ids are in
//! order, and the groups of the children whose parents lie between the first of them and the last. Such a slice is
//! halved where the server refuses it or is slow, down to the usual size, at which the children are found by a list of
//! ids; and it is written in portions, after each of which another run can go on.

use super::Run;
use super::rows::Rows;
use super::slice_size::makes_cursors;
use super::stop::Stop;
use crate::checkpoint::Remaining;
use crate::compiled::settle_order;
use crate::ids::SourceId;

impl Run<'_> {
    /// Goes through the parents of all objects, children's totals before parents'.
    pub(super) async fn slice_by_slice(&self, from: Option<&Remaining>) -> Result<(), Stop> {
        let order = settle_order(self.compiled);
        let (mut place, mut after) = (0, None);
        if let Some(Remaining::After { object, after: cursor }) = from
            && let Some(begun) = order.iter().position(|source| self.compiled.name(*source) == object)
        {
            (place, after) = (begun, cursor.clone());
        }
        while let Some(&source) = order.get(place) {
            self.outcome.position.replace(Some((source, after.clone())));
            let parents = self.parents_per_slice(source);
            let page = match self.page_of_parents(source, after.as_deref(), parents).await {
                Ok((page, read_at)) => {
                    let makes_cursors = makes_cursors(&page);
                    let next = page.has_next_page.then_some(page.end_cursor).flatten();
                    let mut rows = Rows::default();
                    for row in page.records {
                        rows.insert(row, read_at);
                    }
                    Some((rows, next, makes_cursors))
                }
                Err(error) if error.is_unsupported() => continue,
                Err(error) if self.may_be_too_large(parents, &error) => {
                    self.halve_slices(parents, &error.to_string());
                    continue;
                }
                Err(error) => {
                    self.outcome.give_up(source, &error)?;
                    None
                }
            };
            let Some((rows, next, makes_cursors)) = page else {
                (place, after) = (place + 1, None);
                continue;
            };
            self.slice_of(source, rows, &order, makes_cursors).await?;
            if next.is_none() {
                place += 1;
            }
            after = next;
            let left = order.get(place).map(|source| (*source, after.clone()));
            let done = left.is_none();
            self.outcome.position.replace(left);
            if self.options.parents_per_run.is_some() && !done {
                return Err(Stop::BatchDone);
            }
        }
        if self.options.dry || !self.outcome.wrote.get() {
            return Ok(());
        }
        let children: Vec<SourceId> = self.compiled.sources.ids().collect();
        self.verify(&children).await
    }
}
