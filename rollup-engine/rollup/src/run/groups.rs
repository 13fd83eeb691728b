//! Tallies from the server's groups, where it adds up with the same result.

use twenty::error::ApiError;
use twenty::filter::{Comparator, Filter};
use twenty::graphql::{Dimension, GroupQuery, Groups};
use twenty::value::Value;
use uuid::Uuid;

use super::Run;
use super::read::{MAX_GRAPHQL_PAGE, Reading};
use super::stop::Stop;
use crate::compiled::{GroupSet, exceptions_filter, group_sets, needs_count};
use crate::fold::Fold;
use crate::ids::{Ids, RollupId};

/// Whose children are grouped
#[derive(Clone, Copy, Debug)]
pub(super) enum Parents<'a> {
    /// Those of all parents
    All,
    /// Those of these parents
    Listed(&'a Ids),
    /// Those of the parents from one id to another, both included
    Range(Uuid, Uuid),
}

impl Parents<'_> {
    /// The condition on the field that holds the parent's id; nothing for all parents
    fn filter(self, field: &str) -> Option<Filter> {
        let compare = |comparator, id: Uuid| Filter::Compare {
            path: field.to_owned(),
            comparator,
            value: Value::Text(id.to_string().into()),
        };
        match self {
            Self::All => None,
            Self::Listed(ids) => Some(Filter::IdIn(field.to_owned(), ids.as_slice().to_vec())),
            Self::Range(first, last) => {
                Some(Filter::And(vec![compare(Comparator::Gte, first), compare(Comparator::Lte, last)]))
            }
        }
    }
}

/// Groups that are asked for: more than any workspace has. The server's own default is 50.
const MAX_GROUPS: usize = 10_000_000;

/// Up to so many groups come without being asked for their number
const MAX_UNCOUNTED_PARENTS: usize = 20;

impl Run<'_> {
    /// How the totals of a rollup come from groups; nothing where the server cannot be asked, or would mean something
    /// else
    pub(super) fn group_sets(&self, index: RollupId) -> Option<Vec<GroupSet>> {
        let rollup = &self.compiled.rollups[index];
        if !self.reader.uses_graphql(rollup.child) {
            return None;
        }
        group_sets(rollup, &|path| self.reader.kind_of(rollup.child, path), self.calendar)
    }

    /// Fills the tallies of a rollup from groups, for all parents or for these; false if that did not work and the
    /// children have to be read.
    pub(super) async fn group(&self, index: RollupId, parents: Parents<'_>) -> Result<bool, Stop> {
        let Some(sets) = self.group_sets(index) else { return Ok(false) };
        let rollup = &self.compiled.rollups[index];
        let mut fold = Fold::default();
        for (number, set) in sets.iter().enumerate() {
            let few = matches!(parents, Parents::Listed(ids) if ids.as_slice().len() <= MAX_UNCOUNTED_PARENTS);
            let counted = needs_count(&sets, number) && !few;
            let groups = match self.whole_groups(index, set, counted, parents).await {
                Ok(Some(groups)) => groups,
                Ok(None) => return Ok(false),
                Err(error) => {
                    // A large range may be too much for a server that answers a smaller one.
                    let may_be_size =
                        matches!(parents, Parents::Range(..)) && matches!(error, ApiError::Unreachable { .. });
                    if let Some(stop) = Stop::of(&error).filter(|_| !may_be_size) {
                        return Err(stop);
                    }
                    self.reader.disable_graphql(&error);
                    return Ok(false);
                }
            };
            for group in &groups.groups {
                if let Some(parent) = group.id {
                    fold.add_group(rollup, set, parent, group);
                }
            }
        }
        if !self.fold_exceptions(index, &mut fold, parents).await? {
            return Ok(false);
        }
        let undecided_parents = fold.undecided_parents();
        for parent in undecided_parents.as_slice() {
            fold.release(*parent);
        }
        self.tallies.folds[index].borrow_mut().join(fold);
        if !undecided_parents.is_empty() {
            let children = self.reader.read_by(rollup.child, &rollup.relation_field, &undecided_parents).await?;
            self.tallies.fold(&[index], children.rows());
        }
        Ok(true)
    }

    /// Folds the children that are read beside the groups; false if they cannot be read.
    async fn fold_exceptions(&self, index: RollupId, fold: &mut Fold, parents: Parents<'_>) -> Result<bool, Stop> {
        let rollup = &self.compiled.rollups[index];
        let Some(off) = self.exceptions_filter(index) else { return Ok(true) };
        let mut after = None::<String>;
        let filter = match parents.filter(&rollup.relation_field) {
            Some(ids) => Filter::And(vec![ids, off]),
            None => off,
        };
        let (mut reading, mut readings) = (Reading::default(), 1);
        let mut exceptions = Vec::new();
        // What GraphQL was asked for may be more than REST can be asked for.
        while match parents {
            Parents::All => true,
            Parents::Listed(ids) => ids.as_slice().len() <= self.reader.max_ids(rollup.child),
            Parents::Range(..) => self.reader.uses_graphql(rollup.child),
        } {
            let (page, _) =
                match self.reader.page(rollup.child, Some(&filter), after.as_deref(), MAX_GRAPHQL_PAGE).await {
                    Ok(page) => page,
                    Err(error) if error.is_unsupported() => continue,
                    Err(error)
                        if matches!(parents, Parents::Range(..)) && !matches!(error, ApiError::OutOfTime { .. }) =>
                    {
                        return Ok(false);
                    }
                    Err(error) => return self.outcome.give_up(rollup.child, &error).map(|()| false),
                };
            reading.add_page(&page);
            exceptions.extend(page.records);
            if !page.has_next_page {
                match self.reader.is_short(rollup.child, &reading, readings) {
                    Ok(false) => {}
                    Ok(true) => {
                        (reading, readings, after) = (Reading::default(), readings + 1, None);
                        exceptions.clear();
                        continue;
                    }
                    Err(error) => return self.outcome.give_up(rollup.child, &error).map(|()| false),
                }
                for row in &exceptions {
                    fold.add(rollup, row);
                }
                return Ok(true);
            }
            after = page.end_cursor;
        }
        Ok(false)
    }

    /// Whether children of a rollup are read beside its groups
    pub(super) fn has_exceptions(&self, index: RollupId) -> bool {
        self.exceptions_filter(index).is_some()
    }

    fn exceptions_filter(&self, index: RollupId) -> Option<Filter> {
        let rollup = &self.compiled.rollups[index];
        exceptions_filter(&rollup.definition, &|path| self.reader.kind_of(rollup.child, path))
    }

    /// The groups of one set, if they are all there and say something
    async fn whole_groups(
        &self,
        index: RollupId,
        set: &GroupSet,
        counted: bool,
        parents: Parents<'_>,
    ) -> Result<Option<Groups>, ApiError> {
        let rollup = &self.compiled.rollups[index];
        let child = &self.compiled.sources[rollup.child];
        let filter = match (parents.filter(&rollup.relation_field), &set.filter) {
            (Some(ids), Some(filter)) => Some(Filter::And(vec![ids, filter.clone()])),
            (ids, filter) => ids.or_else(|| filter.clone()),
        };
        let dimensions: Vec<Dimension<'_>> = set.code.iter().map(|path| Dimension::Value(path)).collect();
        for _ in 0..2 {
            let query = GroupQuery {
                by: &rollup.relation_field,
                dimensions: &dimensions,
                filter: filter.as_ref(),
                aggregates: &set.aggregates,
                limit: MAX_GROUPS,
                counted,
            };
            self.outcome.spend(|spent| spent.reads += 1 + u64::from(counted));
            let groups = self.client.groups(&child.names, &query).await?;
            let seen: u64 = groups.groups.iter().map(|group| group.count).sum();
            // An aggregate that one group has and another lacks was lost on the way.
            let told = |place: usize| groups.groups.iter().filter_map(move |group| group.values.get(place));
            if (0..set.aggregates.len()).any(|place| told(place).any(|value| *value == Value::Missing)) {
                return Ok(None);
            }
            // GraphQL answers an aggregate that it does not know with null.
            let silent =
                |place: usize| groups.groups.iter().all(|group| group.values.get(place).is_none_or(Value::is_absent));
            if seen > 0 && (0..set.aggregates.len()).any(silent) {
                return Ok(None);
            }
            // Both counts are taken side by side, while others write: once more tells.
            if !counted || groups.total_count == Some(seen) {
                return Ok(Some(groups));
            }
        }
        if matches!(parents, Parents::Range(..)) {
            return Ok(None);
        }
        let (object, field) = (&child.names.plural, &rollup.relation_field);
        self.outcome
            .record
            .borrow_mut()
            .note(format!("the groups of {object} by {field} do not add up to their count, so all were read"));
        Ok(None)
    }
}
