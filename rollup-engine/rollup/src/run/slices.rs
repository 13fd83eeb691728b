//! A rebuild in slices: a page of parents, their children, compare, write, and on to the next page.
//!
//! Each slice is complete in itself, so that a run may stop after any of them and another goes on from its cursor.

use super::targeted::Rows;
use super::{Run, Stop};
use crate::checkpoint::Left;
use crate::program::settle_order;

impl Run<'_> {
    /// Goes through the parents of all objects, children's totals before parents'.
    pub(super) async fn slice_by_slice(&self, from: Option<&Left>) -> Result<(), Stop> {
        let order = settle_order(self.program);
        let (mut place, mut after) = (0, None);
        if let Some(Left::From { object, after: cursor }) = from
            && let Some(begun) = order.iter().position(|source| self.name(*source) == object)
        {
            (place, after) = (begun, cursor.clone());
        }
        while let Some(&source) = order.get(place) {
            self.position.replace(Some((source, after.clone())));
            let page = match self.page(source, None, after.as_deref(), self.slice()).await {
                Ok((page, read_at)) => {
                    let next = page.has_next_page.then_some(page.end_cursor).flatten();
                    let mut rows = Rows::default();
                    for row in page.records {
                        rows.insert(row, read_at);
                    }
                    Some((rows, next))
                }
                Err(error) if error.is_unsupported() => continue,
                Err(error) => {
                    self.give_up(source, &error)?;
                    None
                }
            };
            let Some((rows, next)) = page else {
                (place, after) = (place + 1, None);
                continue;
            };
            self.slice_of(source, rows, &order).await?;
            if next.is_none() {
                place += 1;
            }
            after = next;
            let left = order.get(place).map(|source| (*source, after.clone()));
            let done = left.is_none();
            self.position.replace(left);
            if self.manner.parents_per_run.is_some() && !done {
                return Err(Stop::BatchDone);
            }
        }
        if self.manner.dry || !self.wrote.get() {
            return Ok(());
        }
        let children: Vec<usize> = (0..self.program.sources.len()).collect();
        self.look_again(&children).await
    }
}
