//! In which order objects are read, so that each is read as few times as possible.
//!
//! Reading an object once can serve three ends: its records are folded into the totals of their parents, compared with
//! their own totals, and folded with those totals in place. So children come before parents, a person before the
//! household; objects that do not wait for each other are read side by side, in one stage.

use super::rollups::CompiledRollups;
use crate::ids::{RollupId, SourceId};

/// One reading of an object's records
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The object
    pub source: SourceId,
    /// Rollups whose children these are
    pub folds: Vec<RollupId>,
    /// Rollups whose parents these are, with all their children folded before
    pub settles: Vec<RollupId>,
}

/// Steps in stages; those of one stage do not wait for each other. Rollups that are `grouped` by the server need none of
/// their children read.
#[must_use]
pub fn stages(compiled: &CompiledRollups, grouped: &[RollupId]) -> Vec<Vec<Step>> {
    let mut folded = grouped.to_vec();
    let mut settled = Vec::new();
    let mut stages = Vec::new();
    while settled.len() < compiled.rollups.len() {
        let steps: Vec<Step> =
            compiled.sources.ids().filter_map(|source| step(compiled, source, &folded, &settled)).collect();
        // An object all of whose totals are known is read once and for all; only where none is left, because objects
        // are parents of each other, one is read before its time, and again later.
        let complete = |step: &Step| {
            compiled.into_parent(step.source).all(|rollup| settled.contains(&rollup) || step.settles.contains(&rollup))
        };
        let mut stage: Vec<Step> = steps.iter().filter(|step| complete(step)).cloned().collect();
        if stage.is_empty() {
            stage.extend(steps.into_iter().next());
        }
        if stage.is_empty() {
            break; // INVARIANT: not reached, as definitions in a circle are refused
        }
        for step in &stage {
            folded.extend(step.folds.iter().copied());
            settled.extend(step.settles.iter().copied());
        }
        stages.push(stage);
    }
    stages
}

/// Objects with totals, each where the last of them is settled: children before parents
#[must_use]
pub fn settle_order(compiled: &CompiledRollups) -> Vec<SourceId> {
    let mut order = Vec::new();
    for step in stages(compiled, &[]).into_iter().flatten().filter(|step| !step.settles.is_empty()) {
        order.retain(|source| *source != step.source);
        order.push(step.source);
    }
    order
}

/// What one reading of an object could do at this point, if anything
fn step(compiled: &CompiledRollups, source: SourceId, folded: &[RollupId], settled: &[RollupId]) -> Option<Step> {
    let settles: Vec<RollupId> =
        compiled.into_parent(source).filter(|rollup| folded.contains(rollup) && !settled.contains(rollup)).collect();
    let known = |needed: &RollupId| settled.contains(needed) || settles.contains(needed);
    let folds = compiled
        .rollups
        .entries()
        .filter(|(index, rollup)| rollup.child == source && !folded.contains(index) && rollup.needs.iter().all(known));
    let folds: Vec<RollupId> = folds.map(|(index, _)| index).collect();
    (!folds.is_empty() || !settles.is_empty()).then_some(Step { source, folds, settles })
}

#[cfg(test)]
mod tests {
    use super::super::proof::Workspace;
    use super::*;
    use crate::calendar::Calendar;
    use crate::definitions::parse;
    use ports::Timestamp;
    use serde_json::json;

    /// `parent<child:read>written` for each definition, and the stages as `object(folds|settles)`
    fn shown(definitions: &[(&str, &str, &str, &str)]) -> Vec<Vec<String>> {
        let list: Vec<_> = definitions
            .iter()
            .map(|(parent, child, read, written)| {
                json!({ "parentObject": parent, "childObject": child, "relationField": "parentId",
                        "aggregations": [{ "type": "SUM", "childField": read, "parentField": written }] })
            })
            .collect();
        let calendar = Calendar::utc(Timestamp::from_millis(0), 1);
        let compiled = CompiledRollups::new(&parse(&json!(list)).unwrap(), &Workspace::Offline, &calendar);
        let show =
            |step: &Step| format!("{}{:?}{:?}", compiled.sources[step.source].names.singular, step.folds, step.settles);
        stages(&compiled, &[]).iter().map(|stage| stage.iter().map(show).collect()).collect()
    }

    #[test]
    fn each_object_is_read_once_children_first() {
        let stages = shown(&[
            ("household", "person", "total", "total"),
            ("person", "gift", "amount", "total"),
            ("company", "gift", "amount", "total"),
            ("payout", "staging", "x", "y"),
        ]);
        assert_eq!(
            stages,
            [
                vec!["gift[1, 2][]", "staging[3][]"],
                vec!["person[0][1]", "company[][2]", "payout[][3]"],
                vec!["household[][0]"],
            ]
        );
    }

    #[test]
    fn an_object_over_itself_is_read_twice() {
        assert_eq!(shown(&[("company", "company", "revenue", "revenueBelow")]), [["company[0][]"], ["company[][0]"]]);
    }

    #[test]
    fn cyclic_objects_end() {
        let stages = shown(&[("a", "b", "p", "q"), ("b", "a", "q", "r"), ("a", "b", "r", "s")]);
        let settled: Vec<_> = stages.iter().flatten().filter(|step| !step.ends_with("[]")).collect();
        assert_eq!(settled, ["a[1][0]", "b[2][1]", "a[][2]"], "{stages:?}");
    }
}
