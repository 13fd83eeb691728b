//! Which total needs which: person before household, sums before the formula over them.

use serde_json::Value as Json;

use super::circles::sorted;
use super::fault::Fault;
use super::model::{Aggregation, Children, Computation, Definition, Mapping, Operation, Source};

/// Numbers of the definitions whose totals definition `number` reads, in ascending order
///
/// # Examples
///
/// ```
/// use rollup::definition::order::dependencies;
/// use rollup::definition::parse::parse;
/// use serde_json::json;
///
/// // A household adds up what its members' own totals say.
/// let count = |parent, child, relation, fields: [&str; 2]| json!({
///     "parentObject": parent, "childObject": child, "relationField": relation,
///     "aggregations": [{ "type": "SUM", "childField": fields[0], "parentField": fields[1] }],
/// });
/// let read = parse(&json!([
///     count("household", "person", "householdId", ["giftCount", "giftCount"]),
///     count("person", "gift", "donorId", ["parts", "giftCount"]),
/// ])).unwrap();
/// assert_eq!(dependencies(&read.definitions, 0), [1]);
/// ```
#[must_use]
pub fn dependencies(definitions: &[Definition], number: usize) -> Vec<usize> {
    // No definition reads nothing.
    let Some(reader) = definitions.get(number) else { return Vec::new() };
    let of_children: Vec<(&str, Vec<&str>)> =
        reader.sources.iter().map(|source| (source.child_object.as_str(), fields_read(reader, source))).collect();
    let of_parent = parent_fields_read(reader);
    let writes = |other: usize, writer: &Definition| {
        let fields = || writer.aggregations.iter().filter_map(Aggregation::field);
        of_children
            .iter()
            .any(|(object, read)| *object == writer.parent_object && fields().any(|field| read.contains(&field)))
            || other != number
                && reader.parent_object == writer.parent_object
                && fields().any(|field| of_parent.contains(&field))
    };
    let numbered = definitions.iter().enumerate();
    numbered.filter(|(other, writer)| writes(*other, writer)).map(|(other, _)| other).collect()
}

impl Aggregation {
    /// The field that it writes
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match &self.target {
            super::model::Target::Field(field) => Some(field),
            super::model::Target::Named(_) => None,
        }
    }

    /// Paths of the parent's values that it reads
    #[must_use]
    pub fn parent_paths(&self) -> Vec<&str> {
        match &self.computation {
            Computation::Children(_) => Vec::new(),
            Computation::Formula(expression) => expression.names(),
            Computation::Case(case) => case.cases.iter().flat_map(|(when, _)| when.paths()).collect(),
        }
    }
}

/// Fields of the parent that a definition reads and does not compute itself
fn parent_fields_read(definition: &Definition) -> Vec<&str> {
    let own: Vec<&str> = definition.aggregations.iter().map(|aggregation| aggregation.target.name()).collect();
    let of_totals = definition.aggregations.iter().flat_map(Aggregation::parent_paths).map(first_name);
    let stored = definition.parent_filters.paths().into_iter().map(first_name);
    of_totals.filter(|name| !own.contains(name)).chain(stored).collect()
}

/// Fields of a source's children that a definition reads, without the parts of composite ones
fn fields_read<'d>(definition: &'d Definition, source: &'d Source) -> Vec<&'d str> {
    let mut common: Vec<&str> = definition.child_filters.paths();
    for aggregation in &definition.aggregations {
        if let Computation::Children(children) = &aggregation.computation {
            common.extend(children.paths());
        }
    }
    let mapped = common.into_iter().filter_map(|path| {
        let name = first_name(path);
        match source.fields.iter().find(|(common, _)| common == name) {
            None => Some(name),
            Some((_, Mapping::Path(path))) => Some(first_name(path)),
            Some(_) => None,
        }
    });
    let own = source.child_filters.paths().into_iter().chain([source.relation_field.as_str()]).map(first_name);
    mapped.chain(own).collect()
}

impl Children {
    /// Paths of the children's values that it reads
    #[must_use]
    pub fn paths(&self) -> Vec<&str> {
        let mut paths = self.filters.paths();
        if let Operation::Any(condition)
        | Operation::All(condition)
        | Operation::None(condition)
        | Operation::Percent(condition) = &self.operation
        {
            paths.extend(condition.paths());
        }
        if let Some(value) = &self.value {
            paths.push(&value.path);
            paths.extend(value.subtract.iter().map(String::as_str));
            paths.extend(value.percent.as_deref());
            paths.extend(value.currency.as_deref());
        }
        paths.extend(self.order_by.iter().map(|order| order.field.as_str()));
        paths.extend(self.distinct_by.as_deref());
        paths.extend(self.rate_date_field.as_deref());
        paths.extend(self.group.as_ref().map(|group| group.field.as_str()));
        paths
    }
}

fn first_name(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// Two totals on one field would overwrite each other for ever, and a name that two have says nothing.
pub(super) fn shared_targets(list: &[(usize, Json)]) -> Vec<Fault> {
    let mut owners: Vec<(String, String)> = Vec::new();
    let mut faults = Vec::new();
    for (index, definition) in list {
        let object = definition.get("parentObject").and_then(Json::as_str).unwrap_or_default();
        let mut own: Vec<(&str, usize)> = Vec::new();
        for (number, aggregation) in
            definition.get("aggregations").and_then(Json::as_array).into_iter().flatten().enumerate()
        {
            let place = format!("definition {index}, aggregation {number}");
            for (key, name, is_field) in names(aggregation) {
                let field = format!("{object}.{name}");
                let other = match own.iter().find(|(other, _)| *other == name) {
                    Some((_, other)) => Some(format!("definition {index}, aggregation {other}")),
                    None if is_field => {
                        owners.iter().find(|(owned, _)| *owned == field).map(|(_, owner)| owner.clone())
                    }
                    None => None,
                };
                if let Some(owner) = other {
                    let message = if is_field {
                        format!("`{field}` is already written by {owner}; every total needs a field of its own")
                    } else {
                        format!("`{name}` is already the name of {owner}; every total needs a name of its own")
                    };
                    faults.push(Fault::new(format!("{place}, {key}"), message));
                } else if is_field {
                    owners.push((field, place.clone()));
                }
                own.push((name, number));
            }
        }
    }
    faults
}

/// The names of a total: its key, the name, and whether it is a field
fn names(aggregation: &Json) -> Vec<(String, &str, bool)> {
    let text = |key: &str| aggregation.get(key).and_then(Json::as_str);
    let mut names: Vec<(String, &str, bool)> = Vec::new();
    names.extend(text("parentField").map(|name| ("parentField".to_owned(), name, true)));
    names.extend(text("as").map(|name| ("as".to_owned(), name, false)));
    for (code, field) in aggregation.get("perCurrency").and_then(Json::as_object).into_iter().flatten() {
        names.extend(field.as_str().map(|name| (format!("perCurrency, {code}"), name, true)));
    }
    names
}

/// Faults for formulas and definitions that, by way of others or directly, need their own totals
pub(super) fn circles(read: &[(usize, Option<Definition>)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    circles_of_totals(read, &mut faults);
    // A circle over definitions is one of definitions as well.
    if faults.is_empty() {
        circles_of_definitions(read, &mut faults);
    }
    faults
}

fn circles_of_totals(read: &[(usize, Option<Definition>)], faults: &mut Vec<Fault>) {
    let totals: Vec<(&usize, &Definition, &Aggregation)> = read
        .iter()
        .filter_map(|(index, definition)| definition.as_ref().map(|definition| (index, definition)))
        .flat_map(|(index, definition)| definition.aggregations.iter().map(move |total| (index, definition, total)))
        .collect();
    let find = |reader: &Definition, name: &str| {
        let is_own = |other: &Definition| std::ptr::eq(other, reader);
        let own = totals.iter().position(|(_, other, total)| is_own(other) && total.target.name() == name);
        let is_written = |other: &Definition| other.parent_object == reader.parent_object;
        own.or_else(|| totals.iter().position(|(_, other, total)| is_written(other) && total.field() == Some(name)))
    };
    let needs: Vec<Vec<usize>> = totals
        .iter()
        .map(|(_, definition, total)| {
            let names = total.parent_paths().into_iter().map(first_name);
            names.filter_map(|name| find(definition, name)).collect()
        })
        .collect();
    for circle in sorted(&needs).1 {
        let members: Vec<_> = circle.iter().filter_map(|number| totals.get(*number)).collect();
        let Some((index, _, first)) = members.first() else { continue };
        let names: Vec<&str> = members.iter().map(|(.., total)| total.target.name()).collect();
        faults.push(Fault::new(
            format!("definition {index}, aggregation {}", first.number),
            format!("`{}` needs itself: {} form a circle", first.target.name(), names.join(" → ")),
        ));
    }
}

fn circles_of_definitions(read: &[(usize, Option<Definition>)], faults: &mut Vec<Fault>) {
    let Some(definitions) = read.iter().map(|(_, definition)| definition.clone()).collect::<Option<Vec<_>>>() else {
        return;
    };
    let needs: Vec<Vec<usize>> = (0..definitions.len()).map(|number| dependencies(&definitions, number)).collect();
    for circle in sorted(&needs).1 {
        let shown: Vec<String> =
            circle.iter().filter_map(|number| read.get(*number)).map(|(index, _)| index.to_string()).collect();
        let first = shown.first().cloned().unwrap_or_default();
        faults.push(Fault::new(
            format!("definition {first}"),
            format!("needs its own totals: definitions {} form a circle", shown.join(" → ")),
        ));
    }
}
