//! Which records' events touch the totals of a definition, and how each leads to the parents.
//!
//! A total changes with its children, and with everything that a definition reads through them: the appeal of a gift whose
//! status is asked for, the person through whom a gift reaches a household. Nothing is read here; a [`Search`] says what has
//! to be.

use serde_json::Value as Json;
use twenty::filter::MAX_FILTER_RELATIONS;
use twenty::schema::{Path, Schema};
use uuid::Uuid;

use super::model::{Children, Computation, Condition, Definition, Expression, Mapping, Operand, Operation, Source};

/// One way from an object's events to the parents of a definition
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRoute {
    /// Object whose events matter, in the singular
    pub object: String,
    /// Fields whose update matters; of none, every update
    ///
    /// Other events matter always: a record in the trash is none to what is related to it.
    pub fields: Vec<String>,
    /// Where the parents are
    way: Way,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// The record is the parent
    Itself,
    /// The parent's id stands in the record
    Named(String),
    /// From the record on, a path leads to the parent's id
    Onward { column: String, object: String, path: String },
    /// Others lead to the record
    Back { hops: Vec<Hop>, parent: Option<String> },
}

/// A search for the records that lead to others
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Object to search, in the singular
    pub object: String,
    /// Path whose value is the id of one of the records found before; Twenty filters by it
    pub path: String,
}

/// What to find out to know the parents that an event touches
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// Nothing: these are they
    Parents(Vec<Uuid>),
    /// The values at a path of these records
    Read {
        /// Their object, in the singular
        object: String,
        /// Their ids
        ids: Vec<Uuid>,
        /// Where the parent's id stands
        path: String,
    },
    /// What leads to this record: one search after the other, the last one for the children
    Find {
        /// The record
        id: Uuid,
        /// The searches
        hops: Vec<Hop>,
        /// Where the parent's id stands in what the last search found; nothing where that are the parents
        parent: Option<String>,
    },
}

/// The ways by which events lead to the parents of a definition
///
/// `definitions` are all of the configuration: what one of them writes is no news to a formula, as totals are computed in
/// their order. A path that the workspace does not have leads nowhere, and a record that was destroyed is led to by none:
/// Twenty clears its id everywhere without a word, so that only a rebuild finds those parents.
///
/// # Examples
///
/// ```
/// use rollup::definition::events::{Hop, Search, event_routes};
/// # use rollup::definition::model::{
/// #     Aggregation, Children, Comparison, Computation, Condition, Definition, MixedCurrency, Operand, Operation, Operator,
/// #     Source, Target,
/// # };
/// # use twenty::schema::{Schema, read_objects};
/// use serde_json::json;
/// # let body = br#"{"data":[{"nameSingular":"person","namePlural":"people","fields":[]},
/// #     {"nameSingular":"appeal","namePlural":"appeals","fields":[{"name":"status","type":"TEXT"}]},
/// #     {"nameSingular":"gift","namePlural":"gifts","fields":[
/// #         {"name":"donor","type":"RELATION","settings":{"joinColumnName":"donorId"},"relation":{"targetObjectMetadata":{"nameSingular":"person"}}},
/// #         {"name":"appeal","type":"RELATION","settings":{"joinColumnName":"appealId"},"relation":{"targetObjectMetadata":{"nameSingular":"appeal"}}}]}]}"#;
/// # let schema = Schema::new(read_objects(body).unwrap().objects);
/// # let children = Children { operation: Operation::Count, filters: Condition::Compare(Comparison {
/// #         field: "appeal.status".into(), subtract: Vec::new(), operator: Operator::IsEmpty, operand: Operand::Nothing, ignore_case: false }),
/// #     distinct_by: None, order_by: Vec::new(), limit: None, value: None, mixed_currency: MixedCurrency::Leave, rate_date_field: None, group: None };
/// # let definition = Definition { name: None, parent_object: "person".into(), parent_filters: Condition::default(),
/// #     child_filters: Condition::default(), sources: vec![Source { name: "gift".into(), child_object: "gift".into(),
/// #         relation_field: "donorId".into(), child_filters: Condition::default(), fields: Vec::new() }],
/// #     aggregations: vec![Aggregation { number: 0, target: Target::Field("n".into()), computation: Computation::Children(Box::new(children)),
/// #         when_empty: None, decimals: 2, target_type: None, label: None }] };
///
/// // A count of gifts by `appeal.status`
/// let routes = event_routes(&[definition.clone()], &definition, &schema);
/// let appeal = routes.iter().find(|route| route.object == "appeal").unwrap();
/// assert!(appeal.concerns("updated", &["status"]) && !appeal.concerns("updated", &["goalAmount"]));
/// let id = "e1afe922-ebd4-4b4d-a2c3-8607068a1fbb".parse().unwrap();
/// let hops = vec![Hop { object: "gift".into(), path: "appealId".into() }];
/// assert_eq!(appeal.search(id, &json!({}), &json!({})), Search::Find { id, hops, parent: Some("donorId".into()) });
/// ```
#[must_use]
pub fn event_routes(definitions: &[Definition], definition: &Definition, schema: &Schema) -> Vec<EventRoute> {
    let mut routes = Routes { routes: Vec::new(), schema };
    for source in &definition.sources {
        routes.add_source(definition, source);
    }
    routes.add_parent(definitions, definition);
    routes.routes
}

impl EventRoute {
    /// Whether an event of the route's object matters, by its operation and the fields that it changed
    #[must_use]
    pub fn concerns(&self, operation: &str, updated_fields: &[&str]) -> bool {
        let of_parent = matches!(self.way, Way::Itself);
        match operation {
            "updated" if self.fields.is_empty() => true,
            // Who does not tell the fields may have changed them all.
            "updated" => {
                updated_fields.is_empty()
                    || self.fields.iter().any(|field| {
                        updated_fields.iter().any(|updated| {
                            updated == field || field.strip_suffix("Id").is_some_and(|relation| relation == *updated)
                        })
                    })
            }
            // A record that was just made is related to by none, and has no children.
            "created" => self.fields.is_empty(),
            "restored" => true,
            // A parent in the trash keeps no totals.
            _ => !of_parent,
        }
    }

    /// What to find out for an event of this record, as it was before and is after it
    #[must_use]
    pub fn search(&self, record: Uuid, before: &Json, after: &Json) -> Search {
        let ids = |field: &str| {
            let mut ids: Vec<Uuid> = Vec::new();
            for side in [before, after] {
                let id = side.get(field).and_then(Json::as_str).and_then(|id| Uuid::try_parse(id).ok());
                ids.extend(id.filter(|id| !ids.contains(id)));
            }
            ids
        };
        match &self.way {
            Way::Itself => Search::Parents(vec![record]),
            Way::Named(field) => Search::Parents(ids(field)),
            Way::Onward { column, object, path } => {
                Search::Read { object: object.clone(), ids: ids(column), path: path.clone() }
            }
            Way::Back { hops, parent } => Search::Find { id: record, hops: hops.clone(), parent: parent.clone() },
        }
    }
}

struct Routes<'a> {
    routes: Vec<EventRoute>,
    schema: &'a Schema,
}

impl Routes<'_> {
    fn add(&mut self, object: &str, field: Option<&str>, way: Way) {
        let known = self.routes.iter_mut().find(|route| route.object == object && route.way == way);
        match (known, field) {
            // All updates matter already, or from here on.
            (Some(route), None) => route.fields.clear(),
            (Some(route), Some(field)) => {
                if !route.fields.is_empty() && !route.fields.iter().any(|other| other == field) {
                    route.fields.push(field.to_owned());
                }
            }
            (None, _) => {
                let fields = field.map(str::to_owned).into_iter().collect();
                self.routes.push(EventRoute { object: object.to_owned(), fields, way });
            }
        }
    }

    fn add_source(&mut self, definition: &Definition, source: &Source) {
        let child = &source.child_object;
        let parent = Some(&source.relation_field);
        match self.schema.path(child, &source.relation_field) {
            Ok(path) => {
                // Any update of a child may change what it comes to.
                self.add(child, None, way_on(&path, 0));
                for (number, relation) in path.relations.iter().enumerate().skip(1) {
                    let object = &relation.object.names.singular;
                    self.add(object, Some(relation.column), way_on(&path, number));
                }
                if !path.relations.is_empty() {
                    let object = &path.object.names.singular;
                    self.add(object, Some(path.name), Way::Named(path.name.to_owned()));
                }
            }
            Err(_) => self.add(child, None, Way::Named(source.relation_field.clone())),
        }
        for value in paths_of_children(definition, source) {
            self.add_behind(child, &value, parent);
        }
    }

    /// Events of what a path of these records leads through
    fn add_behind(&mut self, object: &str, path: &str, parent: Option<&String>) {
        let Ok(path) = self.schema.path(object, path) else { return };
        for number in 1..=path.relations.len() {
            let (object, field) = match path.relations.get(number) {
                Some(next) => (&next.object.names.singular, next.column),
                None => (&path.object.names.singular, path.name),
            };
            self.add(object, Some(field), Way::Back { hops: hops_back(&path, number), parent: parent.cloned() });
        }
    }

    /// What is read of the parent itself: not its totals, which the engine writes
    fn add_parent(&mut self, definitions: &[Definition], definition: &Definition) {
        let of_parent = definitions.iter().filter(|other| other.parent_object == definition.parent_object);
        let totals = of_parent.chain([definition]).flat_map(|other| &other.aggregations);
        let totals: Vec<&str> = totals.map(|aggregation| aggregation.target.name()).collect();
        let mut paths = paths_of(&definition.parent_filters);
        for aggregation in &definition.aggregations {
            match &aggregation.computation {
                Computation::Children(_) => {}
                Computation::Formula(formula) => names_of(formula, &mut paths),
                Computation::Case(case) => paths.extend(case.cases.iter().flat_map(|(when, _)| paths_of(when))),
            }
        }
        // While a parent was deleted, no run kept its totals right.
        self.add(&definition.parent_object, Some("deletedAt"), Way::Itself);
        for path in paths.iter().filter(|path| path.split('.').next().is_none_or(|name| !totals.contains(&name))) {
            let first = match self.schema.path(&definition.parent_object, path) {
                Ok(found) if found.relations.is_empty() => found.name.to_owned(),
                Ok(found) => found.relations.first().map(|relation| relation.column.to_owned()).unwrap_or_default(),
                Err(_) => continue,
            };
            self.add(&definition.parent_object, Some(&first), Way::Itself);
            self.add_behind(&definition.parent_object, path, None);
        }
    }
}

/// From the relation of that number on to the end of the path, which is the parent's id
fn way_on(path: &Path<'_>, number: usize) -> Way {
    let Some(relation) = path.relations.get(number) else { return Way::Named(path.name.to_owned()) };
    let (object, rest) = path
        .relations
        .get(number + 1..)
        .unwrap_or_default()
        .iter()
        .fold((None, String::new()), |(first, rest), next| {
            (first.or(Some(next.object)), rest + relation_name(next.column) + ".")
        });
    let object = object.unwrap_or(path.object).names.singular.clone();
    Way::Onward { column: relation.column.to_owned(), object, path: rest + path.name }
}

/// The searches that lead from the record behind so many relations back to those that the path begins at
fn hops_back(path: &Path<'_>, number: usize) -> Vec<Hop> {
    let relations = path.relations.get(..number).unwrap_or_default();
    // A filter leads through few relations; the id that it ends at is one more.
    let mut hops: Vec<Hop> = Vec::new();
    let mut end = relations.len();
    while end > 0 {
        let begin = end.saturating_sub(MAX_FILTER_RELATIONS + 1);
        let part = relations.get(begin..end).unwrap_or_default();
        let Some((last, through)) = part.split_last() else { break };
        let mut filter: String = through.iter().map(|each| relation_name(each.column).to_owned() + ".").collect();
        filter.push_str(last.column);
        let object = through.first().unwrap_or(last).object.names.singular.clone();
        hops.push(Hop { object, path: filter });
        end = begin;
    }
    hops
}

/// `donor` of `donorId`
fn relation_name(column: &str) -> &str {
    column.strip_suffix("Id").unwrap_or(column)
}

/// Paths that a definition reads of the children of one source, in their own fields
fn paths_of_children(definition: &Definition, source: &Source) -> Vec<String> {
    let mut common = paths_of(&definition.child_filters);
    for aggregation in &definition.aggregations {
        if let Computation::Children(children) = &aggregation.computation {
            common.extend(paths_of_total(children));
        }
    }
    let mut paths: Vec<String> = paths_of(&source.child_filters);
    paths.extend(common.iter().filter_map(|path| {
        let (name, below) = path.split_once('.').map_or((path.as_str(), None), |(name, below)| (name, Some(below)));
        match (source.fields.iter().find(|(common, _)| common == name), below) {
            (None, _) => Some(path.clone()),
            (Some((_, Mapping::Path(field))), Some(below)) => Some(format!("{field}.{below}")),
            (Some((_, Mapping::Path(field))), None) => Some(field.clone()),
            (Some((_, Mapping::Constant(_) | Mapping::Nothing)), _) => None,
        }
    }));
    paths
}

fn paths_of_total(children: &Children) -> Vec<String> {
    let mut paths = paths_of(&children.filters);
    if let Operation::Any(asked) | Operation::All(asked) | Operation::None(asked) | Operation::Percent(asked) =
        &children.operation
    {
        paths.extend(paths_of(asked));
    }
    paths.extend(children.distinct_by.clone());
    paths.extend(children.order_by.iter().map(|order| order.field.clone()));
    paths.extend(children.rate_date_field.clone());
    paths.extend(children.group.iter().map(|group| group.field.clone()));
    if let Some(value) = &children.value {
        paths.push(value.path.clone());
        paths.extend(value.code_path());
        paths.extend(value.subtract.iter().cloned());
        paths.extend(value.percent.clone());
    }
    paths
}

/// Paths that a condition reads
fn paths_of(condition: &Condition) -> Vec<String> {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => parts.iter().flat_map(paths_of).collect(),
        Condition::Not(inner) => paths_of(inner),
        Condition::Compare(comparison) => {
            let mut paths = vec![comparison.field.clone()];
            paths.extend(comparison.subtract.iter().cloned());
            if let Operand::Field(path) = &comparison.operand {
                paths.push(path.clone());
            }
            paths
        }
    }
}

fn names_of(expression: &Expression, names: &mut Vec<String>) {
    match expression {
        Expression::Name(name) => names.push(name.clone()),
        Expression::Number(_) | Expression::Today => {}
        Expression::Negative(inner) => names_of(inner, names),
        Expression::Binary(_, left, right) => {
            names_of(left, names);
            names_of(right, names);
        }
        Expression::Call(_, arguments) => arguments.iter().for_each(|argument| names_of(argument, names)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::{
        Aggregation, Arithmetic, Case, ChildValue, Comparison, MixedCurrency, Operator, Order, Target,
    };
    use super::*;
    use serde_json::json;
    use twenty::decimal::Decimal;
    use twenty::schema::objects_of;
    use twenty::value::Value;

    const ADA: Uuid = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
    const BOB: Uuid = Uuid::from_u128(0x2222_2222_2222_4222_8222_2222_2222_2222);

    fn schema() -> Schema {
        let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
        let relation = |name: &str, target: &str| {
            json!({ "name": name, "type": "RELATION", "settings": { "joinColumnName": format!("{name}Id") },
                    "relation": { "targetObjectMetadata": { "nameSingular": target } } })
        };
        let object = |singular: &str, fields: Vec<Json>| json!({ "nameSingular": singular, "namePlural": format!("{singular}s"), "fields": fields });
        let body = json!({ "data": [
            object("person", vec![field("name", "FULL_NAME"), field("jobTitle", "TEXT"), field("giftCount", "NUMBER"), relation("household", "household")]),
            object("household", vec![field("name", "TEXT"), field("region", "TEXT"), relation("primaryContact", "person")]),
            object("appeal", vec![field("status", "TEXT"), field("budgetAmount", "CURRENCY"), relation("owner", "person")]),
            object("gift", vec![field("amount", "CURRENCY"), field("giftDate", "DATE"), relation("donor", "person"), relation("appeal", "appeal")]),
            object("softCredit", vec![field("amount", "CURRENCY"), relation("person", "person"), relation("gift", "gift")]),
        ] });
        Schema::new(objects_of(&body).unwrap().objects)
    }

    fn compare(path: &str) -> Condition {
        Condition::Compare(Comparison {
            field: path.into(),
            subtract: Vec::new(),
            operator: Operator::IsNotEmpty,
            operand: Operand::Nothing,
            ignore_case: false,
        })
    }

    fn count() -> Children {
        Children {
            operation: Operation::Count,
            filters: Condition::default(),
            distinct_by: None,
            order_by: Vec::new(),
            limit: None,
            value: None,
            mixed_currency: MixedCurrency::Leave,
            rate_date_field: None,
            group: None,
        }
    }

    fn total(name: &str, computation: Computation) -> Aggregation {
        let target = Target::Field(name.into());
        Aggregation { number: 0, target, computation, when_empty: None, decimals: 2, target_type: None, label: None }
    }

    fn definition(parent: &str, child: &str, relation: &str, children: Children) -> Definition {
        let source = Source {
            name: child.into(),
            child_object: child.into(),
            relation_field: relation.into(),
            child_filters: Condition::default(),
            fields: Vec::new(),
        };
        Definition {
            name: None,
            parent_object: parent.into(),
            sources: vec![source],
            parent_filters: Condition::default(),
            child_filters: Condition::default(),
            aggregations: vec![total("giftCount", Computation::Children(Box::new(children)))],
        }
    }

    /// The routes in short, without that of a parent that was restored
    fn shown(definition: &Definition) -> Vec<String> {
        let routes = event_routes(std::slice::from_ref(definition), definition, &schema());
        let hop = |hop: &Hop| format!("{} by {}", hop.object, hop.path);
        let mut shown: Vec<String> = Vec::new();
        for EventRoute { object, fields, way } in routes {
            let way = match way {
                Way::Itself => "itself".to_owned(),
                Way::Named(field) => format!("its {field}"),
                Way::Onward { column, object, path } => format!("its {column}, {object}.{path}"),
                Way::Back { hops, parent } => {
                    let hops: Vec<String> = hops.iter().map(hop).collect();
                    format!("{} -> {}", hops.join(", "), parent.as_deref().unwrap_or("itself"))
                }
            };
            let line = format!("{object}[{}] {way}", fields.join(" "));
            if line != format!("{}[deletedAt] itself", definition.parent_object) {
                shown.push(line);
            }
        }
        shown
    }

    #[test]
    fn children_name_their_parents() {
        assert_eq!(shown(&definition("person", "gift", "donorId", count())), ["gift[] its donorId"]);
        // What the metadata do not know may be there all the same.
        assert_eq!(shown(&definition("person", "pledge", "donorId", count())), ["pledge[] its donorId"]);
    }

    #[test]
    fn grandchildren_name_those_between() {
        assert_eq!(
            shown(&definition("household", "gift", "donor.householdId", count())),
            ["gift[] its donorId, person.householdId", "person[householdId] its householdId"]
        );
        assert_eq!(
            shown(&definition("household", "softCredit", "gift.donor.householdId", count())),
            [
                "softCredit[] its giftId, gift.donor.householdId",
                "gift[donorId] its donorId, person.householdId",
                "person[householdId] its householdId",
            ]
        );
    }

    #[test]
    fn values_behind_relations_are_followed_back() {
        let filtered =
            |path: &str| definition("person", "gift", "donorId", Children { filters: compare(path), ..count() });
        assert_eq!(
            shown(&filtered("appeal.status")),
            ["gift[] its donorId", "appeal[status] gift by appealId -> donorId"]
        );
        assert_eq!(
            shown(&filtered("appeal.owner.jobTitle")),
            [
                "gift[] its donorId",
                "appeal[ownerId] gift by appealId -> donorId",
                "person[jobTitle] gift by appeal.ownerId -> donorId",
            ]
        );
        // A filter leads through one relation, so what is further away has to be found first.
        assert_eq!(
            shown(&filtered("donor.household.primaryContact.name.lastName"))[3..],
            ["person[name] person by household.primaryContactId, gift by donorId -> donorId"]
        );
        assert_eq!(shown(&filtered("appeal.gone")), ["gift[] its donorId"]);
        assert_eq!(shown(&filtered("amount.amountMicros")), ["gift[] its donorId"]);
    }

    #[test]
    fn every_part_of_a_total_counts() {
        let path = || "appeal.status".to_owned();
        let value = |path: &str| ChildValue {
            path: path.into(),
            date_part: None,
            subtract: Vec::new(),
            percent: None,
            currency: None,
        };
        let order = Order { field: path(), descending: false, nulls: None };
        for children in [
            Children { operation: Operation::Any(Condition::Not(Box::new(compare("appeal.status")))), ..count() },
            Children { distinct_by: Some(path()), ..count() },
            Children { order_by: vec![order], ..count() },
            Children { rate_date_field: Some(path()), ..count() },
            Children { value: Some(value("appeal.status")), ..count() },
            Children { value: Some(ChildValue { percent: Some(path()), ..value("giftDate") }), ..count() },
            Children { value: Some(ChildValue { subtract: vec![path()], ..value("giftDate") }), ..count() },
            Children { value: Some(ChildValue { currency: Some(path()), ..value("giftDate") }), ..count() },
        ] {
            let routes = shown(&definition("person", "gift", "donorId", children.clone()));
            assert_eq!(routes[1..], ["appeal[status] gift by appealId -> donorId"], "{children:?}");
        }
        let mut filtered = definition("person", "gift", "donorId", count());
        filtered.child_filters = compare("appeal.status");
        filtered.sources[0].child_filters = compare("appeal.budgetAmount.amountMicros");
        assert_eq!(shown(&filtered)[1..], ["appeal[budgetAmount status] gift by appealId -> donorId"]);
        // A common name is what it stands for.
        filtered.sources[0].fields = vec![("appeal".into(), Mapping::Path("donor.household".into()))];
        filtered.sources[0].child_filters = Condition::default();
        filtered.child_filters = compare("appeal.region");
        assert_eq!(
            shown(&filtered)[1..],
            [
                "person[householdId] gift by donorId -> donorId",
                "household[region] gift by donor.householdId -> donorId",
            ]
        );
        filtered.sources[0].fields = vec![("appeal".into(), Mapping::Nothing)];
        assert_eq!(shown(&filtered).len(), 1);
    }

    #[test]
    fn stored_values_of_parents_count() {
        let mut appeal = definition("appeal", "gift", "appealId", count());
        let name = |name: &str| Box::new(Expression::Name(name.into()));
        let cost = Expression::Binary(Arithmetic::Divide, name("budgetAmount.amountMicros"), name("giftCount"));
        appeal.aggregations.push(total("costPerGift", Computation::Formula(cost)));
        let one = Value::Number(Decimal::from_integer(1));
        let case = Case { cases: vec![(compare("owner.jobTitle"), one)], otherwise: Value::Null };
        appeal.aggregations.push(total("stage", Computation::Case(case)));
        appeal.parent_filters = compare("status");
        let routes = event_routes(std::slice::from_ref(&appeal), &appeal, &schema());
        let itself = routes.iter().find(|route| route.way == Way::Itself).unwrap();
        assert_eq!(itself.fields, ["deletedAt", "status", "budgetAmount", "ownerId"], "and not its totals");
        assert_eq!(shown(&appeal)[2], "person[jobTitle] appeal by ownerId -> itself");
    }

    #[test]
    fn events_that_matter() {
        let filtered = Children { filters: compare("appeal.owner.jobTitle"), ..count() };
        let routes = event_routes(&[], &definition("person", "gift", "donorId", filtered), &schema());
        let route = |object: &str| routes.iter().find(|route| route.object == object).unwrap();
        for (object, operation, fields, matters) in [
            ("gift", "created", &[][..], true),
            ("gift", "updated", &["anything"], true),
            ("gift", "destroyed", &[], true),
            ("appeal", "created", &[], false),
            ("appeal", "updated", &["status"], false),
            ("appeal", "updated", &["status", "ownerId"], true),
            ("appeal", "updated", &["owner"], true),
            ("appeal", "updated", &[], true),
            ("appeal", "deleted", &["deletedAt"], true),
            ("appeal", "restored", &[], true),
        ] {
            assert_eq!(route(object).concerns(operation, fields), matters, "{object}.{operation} {fields:?}");
        }
        let parent = routes.iter().find(|route| route.way == Way::Itself).unwrap();
        assert!(parent.concerns("restored", &[]) && !parent.concerns("deleted", &["deletedAt"]));
        assert!(!parent.concerns("updated", &["giftCount"]));
    }

    #[test]
    fn searches_of_an_event() {
        let before = json!({ "donorId": ADA, "householdId": ADA });
        let after = json!({ "donorId": BOB, "householdId": null });
        let household = definition("household", "gift", "donor.householdId", count());
        let routes = event_routes(&[], &household, &schema());
        let search =
            |object: &str| routes.iter().find(|route| route.object == object).unwrap().search(BOB, &before, &after);
        let read = Search::Read { object: "person".into(), ids: vec![ADA, BOB], path: "householdId".into() };
        assert_eq!(search("gift"), read);
        assert_eq!(search("person"), Search::Parents(vec![ADA]));
        assert_eq!(search("household"), Search::Parents(vec![BOB]));
        let same = routes[0].search(BOB, &before, &before);
        assert_eq!(same, Search::Read { object: "person".into(), ids: vec![ADA], path: "householdId".into() });
    }
}
