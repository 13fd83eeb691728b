//! Tallies from the server's groups, where it adds up with the same result.

use twenty::Host;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::graphql::{GroupQuery, Groups};

use super::{Run, Stop};
use crate::fold::Fold;
use crate::program::{GroupSet, group_sets, needs_count};
use crate::trigger::Ids;

/// Groups that are asked for: more than any workspace has. The server's own default is 50.
const ALL: usize = 10_000_000;

/// Up to so many groups come without being asked for their number
const FEW: usize = 20;

impl<H: Host> Run<'_, H> {
    /// How the totals of a rollup come from groups; nothing where the server cannot be asked, or would mean something
    /// else
    pub(super) fn group_sets(&self, index: usize) -> Option<Vec<GroupSet>> {
        let rollup = self.program.rollups.get(index)?;
        if !self.by_graphql(rollup.child) {
            return None;
        }
        let definition = self.definitions.get(rollup.number)?;
        group_sets(definition, rollup, &|path| self.kind_of(rollup.child, path), self.calendar)
    }

    /// Fills the tallies of a rollup from groups, for all parents or for these; false if that did not work and the
    /// children have to be read.
    pub(super) async fn group(&self, index: usize, parents: Option<&Ids>) -> Result<bool, Stop> {
        let (Some(sets), Some(rollup)) = (self.group_sets(index), self.program.rollups.get(index)) else {
            return Ok(false);
        };
        let mut fold = Fold::default();
        for (number, set) in sets.iter().enumerate() {
            let counted = needs_count(&sets, number) && parents.is_none_or(|ids| ids.as_slice().len() > FEW);
            let groups = match self.whole_groups(index, set, counted, parents).await {
                Ok(Some(groups)) => groups,
                Ok(None) => return Ok(false),
                Err(error) => {
                    if let Some(stop) = Stop::of(&error) {
                        return Err(stop);
                    }
                    self.without_graphql(&error);
                    return Ok(false);
                }
            };
            for group in &groups.groups {
                if let Some(parent) = group.id {
                    fold.take_group(rollup, set, parent, group);
                }
            }
        }
        let doubtful = fold.doubtful();
        for parent in doubtful.as_slice() {
            fold.release(*parent);
        }
        if let Some(slot) = self.folds.get(index) {
            slot.borrow_mut().join(fold);
        }
        if !doubtful.is_empty() {
            let children = self.read_by(rollup.child, &rollup.relation_field, &doubtful).await?;
            self.fold(&[index], children.rows());
        }
        Ok(true)
    }

    /// The groups of one set, if they are all there and say something
    async fn whole_groups(
        &self,
        index: usize,
        set: &GroupSet,
        counted: bool,
        parents: Option<&Ids>,
    ) -> Result<Option<Groups>, ApiError> {
        let Some(rollup) = self.program.rollups.get(index) else { return Ok(None) };
        let Some(child) = self.program.sources.get(rollup.child) else { return Ok(None) };
        let ids = parents.map(|ids| Filter::IdIn(rollup.relation_field.clone(), ids.as_slice().to_vec()));
        let filter = match (ids, &set.filter) {
            (Some(ids), Some(filter)) => Some(Filter::And(vec![ids, filter.clone()])),
            (ids, filter) => ids.or_else(|| filter.clone()),
        };
        for _ in 0..2 {
            let query = GroupQuery {
                by: &rollup.relation_field,
                code: set.code.as_deref(),
                filter: filter.as_ref(),
                aggregates: &set.aggregates,
                limit: ALL,
                counted,
            };
            self.spend(|spent| spent.reads += 1 + u64::from(counted));
            let groups = self.client.groups(&child.names, &query).await?;
            let seen: u64 = groups.groups.iter().map(|group| group.count).sum();
            // GraphQL answers an aggregate that it does not know with null.
            let silent = |place: usize| {
                groups.groups.iter().all(|group| group.values.get(place).is_none_or(twenty::value::Value::is_absent))
            };
            if seen > 0 && (0..set.aggregates.len()).any(silent) {
                return Ok(None);
            }
            // Both counts are taken side by side, while others write: once more tells.
            if !counted || groups.total_count == Some(seen) {
                return Ok(Some(groups));
            }
        }
        let (object, field) = (&child.names.plural, &rollup.relation_field);
        self.record
            .borrow_mut()
            .note(format!("the groups of {object} by {field} do not add up to their count, so all were read"));
        Ok(None)
    }
}
