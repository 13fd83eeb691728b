//! Which definition needs the totals of which: person before household.

use super::model::{Condition, Definition, Fault};

/// Numbers of the definitions whose totals definition `number` reads, in ascending order
///
/// # Examples
///
/// ```
/// use rollup::definitions::{dependencies, parse};
/// use serde_json::json;
///
/// // A household adds up what its members' own totals say.
/// let count = |parent, child, relation, fields: [&str; 2]| json!({
///     "parentObject": parent, "childObject": child, "relationField": relation,
///     "aggregations": [{ "type": "SUM", "childField": fields[0], "parentField": fields[1] }],
/// });
/// let definitions = parse(&json!([
///     count("household", "person", "householdId", ["giftCount", "giftCount"]),
///     count("person", "gift", "donorId", ["parts", "giftCount"]),
/// ])).unwrap();
/// assert_eq!(dependencies(&definitions, 0), [1]);
/// ```
#[must_use]
pub fn dependencies(definitions: &[Definition], number: usize) -> Vec<usize> {
    // No definition reads nothing.
    let Some(reader) = definitions.get(number) else { return Vec::new() };
    let fields = fields_read(reader);
    let writes = |writer: &Definition| {
        writer.parent_object == reader.child_object
            && writer.aggregations.iter().any(|aggregation| fields.contains(&aggregation.parent_field.as_str()))
    };
    (0..definitions.len()).filter(|other| definitions.get(*other).is_some_and(writes)).collect()
}

/// Fields of the child that a definition reads, without the parts of composite ones
fn fields_read(definition: &Definition) -> Vec<&str> {
    let mut paths = vec![definition.relation_field.as_str()];
    let mut conditions: Vec<&Condition> = definition.child_filters.iter().collect();
    for aggregation in &definition.aggregations {
        paths.extend(aggregation.child_field.as_deref());
        paths.extend(aggregation.currency_field.as_deref());
        paths.extend(aggregation.subtract_field.as_deref());
        conditions.extend(&aggregation.filters);
    }
    for condition in conditions {
        paths.push(&condition.field);
        paths.extend(condition.subtract_field.as_deref());
    }
    paths.into_iter().map(|path| path.split('.').next().unwrap_or(path)).collect()
}

/// A fault for a definition that, by way of others or directly, needs its own totals
pub(super) fn cycle(definitions: &[Definition]) -> Option<Fault> {
    let mut settled = vec![false; definitions.len()];
    loop {
        let ready = (0..definitions.len()).find(|number| {
            !settled.get(*number).copied().unwrap_or(true)
                && dependencies(definitions, *number).iter().all(|needed| settled.get(*needed).copied().unwrap_or(true))
        });
        match ready.and_then(|number| settled.get_mut(number)) {
            Some(slot) => *slot = true,
            None => break,
        }
    }
    let start = settled.iter().position(|settled| !settled)?;
    // Each definition that is left needs another one that is left, so following the needs must come round.
    let mut path = vec![start];
    loop {
        let last = *path.last()?;
        let next = *dependencies(definitions, last).iter().find(|needed| settled.get(**needed) == Some(&false))?;
        if let Some(at) = path.iter().position(|seen| *seen == next) {
            path.drain(..at);
            path.push(next);
            break;
        }
        path.push(next);
    }
    let shown: Vec<String> = path.iter().map(ToString::to_string).collect();
    Some(Fault::new(
        format!("definition {}", path.first()?),
        format!("needs its own totals: definitions {} form a circle", shown.join(" → ")),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use serde_json::json;

    fn count(parent: &str, child: &str, over: &str, into: &str) -> serde_json::Value {
        json!({ "parentObject": parent, "childObject": child, "relationField": format!("{parent}Id"),
                "aggregations": [{ "type": "SUM", "childField": over, "parentField": into }] })
    }

    /// A definition depends on those that write what it reads
    #[test]
    fn dependencies_by_field() {
        let list = json!([
            count("household", "person", "total.amountMicros", "total"),
            count("person", "gift", "amount.amountMicros", "total"),
            count("person", "pledge", "amount.amountMicros", "pledged"),
        ]);
        let definitions = parse(&list).unwrap();
        assert_eq!(dependencies(&definitions, 0), [1]);
        assert_eq!(dependencies(&definitions, 1), Vec::<usize>::new());
    }

    #[test]
    fn circles_are_refused() {
        let itself = json!([count("company", "company", "total", "total")]);
        assert_eq!(
            parse(&itself).unwrap_err()[0].to_string(),
            "definition 0: needs its own totals: definitions 0 → 0 form a circle"
        );
        let two = json!([
            count("team", "club", "x", "y"),
            count("person", "gift", "amount", "total"),
            count("club", "team", "y", "x"),
        ]);
        assert_eq!(
            parse(&two).unwrap_err()[0].to_string(),
            "definition 0: needs its own totals: definitions 0 → 2 → 0 form a circle"
        );
    }
}
