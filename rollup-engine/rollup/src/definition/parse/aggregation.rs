//! One total.

use serde_json::{Map, Value as Json};

use super::super::expression;
use super::super::fault::{but, listed};
use super::super::model::{
    Aggregation, ChildValue, Children, Computation, Expression, Group, Joint, MixedCurrency, Nulls, Operation, Order,
    Target, TargetType, Unit,
};
use super::super::reader::{Reader, stated};
use super::super::words::{DIRECTIONS, Kind};
use super::cases;
use super::conditions::Scope;
use super::groups;
use super::money::{Money, per_currency};
use super::when_empty::when_empty;

/// Keys of a total
pub(crate) const AGGREGATION_KEYS: [&str; 30] = [
    "type",
    "parentField",
    "as",
    "perCurrency",
    "childField",
    "currencyField",
    "subtractField",
    "percentField",
    "datePart",
    "filters",
    "condition",
    "distinctBy",
    "orderBy",
    "limit",
    "n",
    "groupBy",
    "having",
    "returns",
    "delimiter",
    "maxLength",
    "decimals",
    "expression",
    "cases",
    "else",
    "whenEmpty",
    "targetType",
    "mixedCurrency",
    "currency",
    "rateDateField",
    "label",
];
/// Keys of one field of an order
pub(crate) const ORDER_KEYS: [&str; 3] = ["field", "direction", "nulls"];
/// Keys that say where a total goes
const TARGET_KEYS: [&str; 3] = ["parentField", "as", "perCurrency"];
/// Decimals of a number, where nothing is said
const DEFAULT_DECIMALS: u32 = 2;
/// Code points of a joined text, where nothing is said
const DEFAULT_MAX_LENGTH: usize = 2_000;
const DEFAULT_DELIMITER: &str = ", ";
/// Most children that a `limit` or an `n` counts, and code points of a text
const MAX_COUNT: i64 = 1_000_000;

/// What a definition says for its totals
pub(super) struct Surroundings<'a, 'n> {
    pub(super) money: &'a Money,
    /// Path by which children count once
    pub(super) distinct_by: Option<&'a str>,
    /// Conditions on children
    pub(super) child: &'a mut Scope<'n>,
    /// Conditions on the parent
    pub(super) parent: &'a mut Scope<'n>,
}

/// Reads one total: several, where each currency has a field of its own
pub(super) fn read_aggregation(
    reader: &mut Reader<'_>,
    json: &Json,
    number: usize,
    around: &mut Surroundings<'_, '_>,
) -> Option<Vec<Aggregation>> {
    let object = reader.object(json, &AGGREGATION_KEYS)?;
    let kind = reader.choice(object, "type", &Kind::ALL);
    let before = reader.fault_count();
    let (written, allowed) = (object, without_foreign_keys(reader, object, kind));
    let object = &allowed;
    let targets = targets(reader, written, object);
    let money = around.money.within(reader, object, false);
    let target_type = reader.optional_choice(object, "targetType", &TargetType::ALL);
    let label = reader.optional_text(object, "label").map(str::to_owned);
    let decimals = reader.number(object, "decimals", (0, 12)).unwrap_or(DEFAULT_DECIMALS);
    let computation = match kind {
        Some(Kind::Formula) => formula(reader, object).map(Computation::Formula),
        Some(Kind::Case) => cases::read_case(reader, object, around.parent).map(Computation::Case),
        kind => {
            children(reader, object, kind, &money, around).map(|children| Computation::Children(Box::new(children)))
        }
    };
    let when_empty = kind.and_then(|kind| when_empty(reader, object, kind, target_type));
    let computation = computation.filter(|_| reader.fault_count() == before)?;
    let total = |target, currency: Option<String>| {
        let mut computation = computation.clone();
        if let (Some(currency), Computation::Children(children)) = (currency, &mut computation) {
            children.mixed_currency = MixedCurrency::Only(currency);
        }
        Aggregation {
            number,
            target,
            computation,
            when_empty: when_empty.clone(),
            decimals,
            target_type,
            label: label.clone(),
        }
    };
    Some(targets.into_iter().map(|(target, currency)| total(target, currency)).collect())
}

/// The keys that its type has; the others are noted
fn without_foreign_keys(reader: &mut Reader<'_>, object: &Map<String, Json>, kind: Option<Kind>) -> Map<String, Json> {
    let mut object = object.clone();
    // Null says nothing, but where it is a value.
    object.retain(|key, json| !json.is_null() || matches!(key.as_str(), "whenEmpty" | "else"));
    let Some(kind) = kind else { return object };
    let of_groups = object.contains_key("groupBy");
    let foreign = |key: &str| AGGREGATION_KEYS.contains(&key) && !kind.allows(key, of_groups);
    for key in object.keys().filter(|key| foreign(key)) {
        let name = kind.name();
        let message = match key.as_str() {
            "whenEmpty" => format!("a {name} has `else` in its place"),
            "limit" if kind.picks() => format!("a {name} is of one child; the one at another place is an `NTH`"),
            key => {
                let others = Kind::ALL.iter().filter(|(_, other)| other.allows(key, of_groups)).map(|(name, _)| *name);
                let others = listed(&others.collect::<Vec<_>>());
                let beside = if key == "condition" { "; which children count is said by `filters`" } else { "" };
                format!("a {name} has no `{key}`, which goes with {others}{beside}")
            }
        };
        reader.fault(key, message);
    }
    object.retain(|key, _| !foreign(key));
    object
}

/// Where a total goes, with the currency that it is of where there are several
fn targets(
    reader: &mut Reader<'_>,
    written: &Map<String, Json>,
    object: &Map<String, Json>,
) -> Vec<(Target, Option<String>)> {
    let found: Vec<&str> = TARGET_KEYS.into_iter().filter(|key| stated(written, key).is_some()).collect();
    let targets = match found.as_slice() {
        ["parentField"] => reader.name(object, "parentField").map(|name| vec![(Target::Field(name), None)]),
        ["as"] => reader.name(object, "as").map(|name| vec![(Target::Named(name), None)]),
        [_] => {
            let fields = per_currency(reader, object);
            Some(fields.into_iter().map(|(code, field)| (Target::Field(field), Some(code))).collect())
        }
        [] => reader.refuse("parentField", format!("missing, expected one of {}", listed(&TARGET_KEYS))),
        several => {
            let last = several.last().copied().unwrap_or_default();
            reader.fault(last, format!("found {}, expected one of them", listed(several)));
            None
        }
    };
    targets.unwrap_or_default()
}

fn formula(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Option<Expression> {
    let key = "expression";
    let Some(text) = stated(object, key).and_then(Json::as_str) else {
        let found = but(object.get(key));
        reader.fault(key, format!("expected what the FORMULA computes, such as `raisedAmount / giftCount`, {found}"));
        return None;
    };
    expression::read(text).map_err(|message| reader.fault(key, message)).ok()
}

/// A total of children; of an unknown type what goes with all types
fn children(
    reader: &mut Reader<'_>,
    object: &Map<String, Json>,
    kind: Option<Kind>,
    money: &Money,
    around: &mut Surroundings<'_, '_>,
) -> Option<Children> {
    let filters = around.child.conditions_at(reader, object, "filters");
    let distinct_by = reader.optional_path(object, "distinctBy");
    let order_by = order_by(reader, object, kind);
    let limit = limit(reader, object);
    let group = groups::read_group(reader, object);
    let needs_value = kind.is_some_and(|kind| kind != Kind::Count && !kind.has_condition());
    let value = value(reader, object, kind, group.as_ref().map_or(needs_value, Group::needs_value));
    let operation = operation(reader, object, kind, around.child);
    Some(Children {
        operation: operation?,
        filters: filters?,
        distinct_by: distinct_by.or_else(|| around.distinct_by.map(str::to_owned)),
        order_by,
        limit,
        value,
        mixed_currency: money.policy(),
        rate_date_field: money.rate_date_field.clone(),
        group,
    })
}

fn order_by(reader: &mut Reader<'_>, object: &Map<String, Json>, kind: Option<Kind>) -> Vec<Order> {
    let key = "orderBy";
    let list = match stated(object, key) {
        None => {
            if let Some(kind) = kind.filter(|kind| kind.picks()) {
                let name = kind.name();
                reader.fault(key, format!("missing, a {name} needs an order, such as `[{{\"field\":\"giftDate\"}}]`"));
            }
            return Vec::new();
        }
        Some(Json::Array(list)) if !list.is_empty() => list,
        found => {
            reader.fault(key, format!("expected a list with at least one field of the order, {}", but(found)));
            return Vec::new();
        }
    };
    let mut order = Vec::new();
    for (index, json) in list.iter().enumerate() {
        let mut reader = reader.inside(&format!("{key} {index}"));
        let Some(object) = reader.object(json, &ORDER_KEYS) else { continue };
        let field = reader.path(object, "field");
        let descending = reader.optional_choice(object, "direction", &DIRECTIONS).unwrap_or_default();
        let nulls = reader.optional_choice(object, "nulls", &Nulls::ALL);
        order.extend(field.map(|field| Order { field, descending, nulls }));
    }
    order
}

fn limit(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Option<usize> {
    let limit = reader.number::<usize>(object, "limit", (1, MAX_COUNT));
    if limit.is_some() && stated(object, "orderBy").is_none() {
        reader.fault("limit", "needs an `orderBy`, which says which ones are the first");
    }
    limit
}

/// Which value of each child counts
fn value(
    reader: &mut Reader<'_>,
    object: &Map<String, Json>,
    kind: Option<Kind>,
    is_needed: bool,
) -> Option<ChildValue> {
    let path = reader.optional_path(object, "childField");
    let currency = reader.optional_path(object, "currencyField");
    let subtract = reader.paths(object, "subtractField");
    let percent = reader.optional_path(object, "percentField");
    let date_part = reader.optional_choice(object, "datePart", &Unit::ALL);
    if currency.as_deref().is_some_and(|path| path.ends_with(".amountMicros")) {
        reader.fault(
            "currencyField",
            "is the path of an amount, expected that of its code, such as `amount.currencyCode`",
        );
    }
    let of_amounts = ["currencyField", "subtractField", "percentField"];
    let of_amounts = of_amounts.into_iter().find(|key| stated(object, key).is_some());
    if let Some(other) = of_amounts.filter(|_| stated(object, "datePart").is_some()) {
        reader.fault("datePart", format!("a part of a date is no amount, so it does not go with `{other}`"));
    }
    if stated(object, "childField").is_none() {
        let name = kind.map_or("", Kind::name);
        if is_needed && stated(object, "groupBy").is_some() {
            let inner = object.get("groupBy").and_then(|group| group.get("type")).and_then(Json::as_str);
            let inner = inner.unwrap_or_default();
            reader.fault("childField", format!("missing, the `{inner}` of the `groupBy` needs the path of the values"));
        } else if is_needed {
            reader.fault(
                "childField",
                format!("missing, a {name} needs the path of the values, such as `amount.amountMicros`"),
            );
        } else if let Some(other) = of_amounts {
            reader.fault(other, "needs a `childField`, the path of the values");
        }
    }
    let date_part = date_part.or_else(|| kind.is_some_and(Kind::is_streak).then_some(Unit::Year));
    Some(ChildValue { path: path?, date_part, subtract, percent, currency })
}

fn operation(
    reader: &mut Reader<'_>,
    object: &Map<String, Json>,
    kind: Option<Kind>,
    scope: &mut Scope<'_>,
) -> Option<Operation> {
    let joint = joint(reader, object);
    let asked = stated(object, "condition");
    let condition = asked.and_then(|json| scope.conditions(reader, "condition", json));
    if let Some(kind) = kind.filter(|kind| kind.has_condition() && asked.is_none()) {
        reader.fault("condition", format!("missing, a {} needs what is asked of each child", kind.name()));
    }
    let n = reader.number::<i32>(object, "n", (-MAX_COUNT, MAX_COUNT));
    if n == Some(0) || n.is_none() && stated(object, "n").is_none() && kind == Some(Kind::Nth) {
        let found = if n.is_some() { "found 0" } else { "missing" };
        reader.fault("n", format!("{found}, an NTH needs 1, 2, … from the front, or -1, -2, … from the back"));
    }
    Some(match kind? {
        Kind::Count => Operation::Count,
        Kind::CountDistinct => Operation::CountDistinct,
        Kind::Sum => Operation::Sum,
        Kind::Avg => Operation::Avg,
        Kind::Median => Operation::Median,
        Kind::Min => Operation::Min,
        Kind::Max => Operation::Max,
        Kind::Range => Operation::Range,
        Kind::First => Operation::First,
        Kind::Last => Operation::Last,
        Kind::Nth => Operation::Nth(n?),
        Kind::Mode => Operation::Mode,
        Kind::Concat => Operation::Concat(joint?),
        Kind::ConcatDistinct => Operation::ConcatDistinct(joint?),
        Kind::Any => Operation::Any(condition?),
        Kind::All => Operation::All(condition?),
        Kind::None => Operation::None(condition?),
        Kind::Percent => Operation::Percent(condition?),
        Kind::CurrentStreak => Operation::CurrentStreak,
        Kind::LongestStreak => Operation::LongestStreak,
        // They are read elsewhere.
        Kind::Formula | Kind::Case => return None,
    })
}

fn joint(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Option<Joint> {
    let delimiter = match stated(object, "delimiter") {
        None => Some(DEFAULT_DELIMITER.to_owned()),
        Some(Json::String(text)) => Some(text.clone()),
        found => reader.refuse("delimiter", format!("expected a text, {}", but(found))),
    };
    let max_length = match stated(object, "maxLength") {
        None => Some(DEFAULT_MAX_LENGTH),
        Some(_) => reader.number(object, "maxLength", (1, MAX_COUNT)),
    };
    Some(Joint { delimiter: delimiter?, max_length: max_length? })
}
