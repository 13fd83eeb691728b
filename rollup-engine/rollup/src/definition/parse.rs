//! From JSON to definitions, with every fault named by its place.

mod aggregation;
mod cases;
mod conditions;
mod groups;
mod money;
mod named_filters;
mod periods;
mod references;
mod sources;
mod when_empty;

use serde_json::{Map, Value as Json};

use super::fault::{Fault, but, kind_of};
use super::model::{Definition, Rates};
use super::reader::{Reader, stated};
use super::{order, presets};
use aggregation::{Surroundings, read_aggregation};
use conditions::Scope;
use money::{Money, names_currency_policy, read_rates};
use named_filters::read_named_filters;
use references::NamedConditions;

/// Keys of a definition
pub(crate) const DEFINITION_KEYS: [&str; 13] = [
    "name",
    "description",
    "parentObject",
    "childObject",
    "relationField",
    "sources",
    "childFilters",
    "parentFilters",
    "distinctBy",
    "mixedCurrency",
    "currency",
    "rateDateField",
    "aggregations",
];

/// What a configuration says of its totals
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definitions {
    /// The definitions, in the order of the list
    pub definitions: Vec<Definition>,
    /// What the currencies are worth
    pub rates: Rates,
}

/// Reads and validates the definitions of a configuration, or a list of them
///
/// Of the settings of a configuration those are read that definitions mean: `filters`, `rates`, `mixedCurrency`, `currency`
/// and `rateDateField`.
///
/// # Examples
///
/// ```
/// use rollup::definition::parse::parse;
/// use serde_json::json;
///
/// let faults = parse(&json!([{ "parentObject": "person", "childObject": "gift", "relationField": "donorId" }]));
/// assert_eq!(faults.unwrap_err()[0].place, "definition 0, aggregations");
/// ```
///
/// # Errors
/// All faults that were found, in the order of the list.
pub fn parse(json: &Json) -> Result<Definitions, Vec<Fault>> {
    let none = Map::new();
    let (config, list) = match json {
        Json::Object(config) => (config, config.get("definitions").unwrap_or(&Json::Null)),
        list => (&none, list),
    };
    let mut faults = Vec::new();
    let rates = read_rates(config, &mut faults);
    let names = read_named_filters(config, &mut faults);
    let outer = Money::with_rates(stated(config, "rates").is_some());
    let inner_needs = names_currency_policy(config, &["definitions", "aggregations"]);
    let money = outer.within(&mut Reader::new("", &mut faults), config, inner_needs);
    let Some(list) = list.as_array() else {
        faults.push(Fault::new("definitions", format!("expected a list, found {}", kind_of(list))));
        return Err(faults);
    };
    let mut definitions = Vec::new();
    // Each with its place in the list: those of one preset share it.
    let mut expanded = Vec::new();
    for (index, json) in list.iter().enumerate() {
        let mut reader = Reader::new(format!("definition {index}"), &mut faults);
        if presets::is_preset(json) {
            expanded.extend(presets::expand(&mut reader, json).into_iter().map(|json| (index, json)));
        } else {
            expanded.push((index, json.clone()));
        }
    }
    for (index, json) in &expanded {
        let mut reader = Reader::new(format!("definition {index}"), &mut faults);
        definitions.push((*index, read_definition(&mut reader, json, &money, &names)));
    }
    faults.extend(order::shared_targets(&expanded));
    faults.extend(order::circles(&definitions));
    let mut said = Vec::new();
    // What stands beside the name of a preset is read for each of its definitions.
    faults.retain(|fault| {
        !said.contains(fault) && {
            said.push(fault.clone());
            true
        }
    });
    let definitions = definitions.into_iter().map(|(_, definition)| definition);
    match definitions.collect::<Option<Vec<_>>>().filter(|_| faults.is_empty()) {
        Some(definitions) => Ok(Definitions { definitions, rates: rates.unwrap_or_default() }),
        None => Err(faults),
    }
}

/// Reads and validates one definition
///
/// # Examples
///
/// ```
/// use rollup::definition::parse::parse_one;
/// use serde_json::json;
///
/// let definition = parse_one(&json!({
///     "parentObject": "person", "childObject": "gift", "relationField": "donorId",
///     "aggregations": [{ "type": "COUNT", "parentField": "lifetimeGiftCount" }],
/// })).unwrap();
/// assert_eq!(definition.aggregations[0].target.name(), "lifetimeGiftCount");
/// ```
///
/// # Errors
/// All faults that were found.
pub fn parse_one(json: &Json) -> Result<Definition, Vec<Fault>> {
    let read = parse(&Json::Array(vec![json.clone()]))?;
    read.definitions.into_iter().next().ok_or_else(Vec::new)
}

fn read_definition(reader: &mut Reader<'_>, json: &Json, money: &Money, names: &NamedConditions) -> Option<Definition> {
    let object = reader.object(json, &DEFINITION_KEYS)?;
    let name = reader.optional_text(object, "name").map(str::to_owned);
    reader.optional_text(object, "description");
    let parent_object = reader.name(object, "parentObject");
    let sources = sources::read_sources(reader, object, names);
    let (mut child, mut parent) = (Scope::new(names), Scope::new(names));
    let child_filters = child.conditions_at(reader, object, "childFilters");
    let parent_filters = parent.conditions_at(reader, object, "parentFilters");
    let distinct_by = reader.optional_path(object, "distinctBy");
    let money = money.within(reader, object, names_currency_policy(object, &["aggregations"]));
    let mut around =
        Surroundings { money: &money, distinct_by: distinct_by.as_deref(), child: &mut child, parent: &mut parent };
    let aggregations = match object.get("aggregations") {
        Some(Json::Array(list)) if !list.is_empty() => {
            let mut read = Vec::new();
            for (index, json) in list.iter().enumerate() {
                let mut reader = reader.inside(&format!("aggregation {index}"));
                read.push(read_aggregation(&mut reader, json, index, &mut around));
            }
            read.into_iter().collect::<Option<Vec<_>>>()
        }
        found => {
            reader.refuse("aggregations", format!("expected a list with at least one aggregation, {}", but(found)))
        }
    };
    child.contradiction(reader);
    parent.contradiction(reader);
    Some(Definition {
        name,
        parent_object: parent_object?,
        sources: sources?,
        parent_filters: parent_filters?,
        child_filters: child_filters?,
        aggregations: aggregations?.into_iter().flatten().collect(),
    })
}
