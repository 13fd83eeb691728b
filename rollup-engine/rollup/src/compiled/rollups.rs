//! All definitions that run in one workspace, and the objects that they read.

use std::collections::BTreeSet;

use twenty::page::{FieldSlot, Projection, Record};
use twenty::schema::Names;
use twenty::value::Value;

use super::kinds::PathKind;
use super::proof::Workspace;
use super::skipped::Skipped;
use crate::calendar::Calendar;
use crate::condition::PreparedCondition;
use crate::definitions::{Aggregation, Condition, Definition, code_beside, dependencies};
use crate::ids::{ColumnId, IdList, Ids, RollupId, SourceId};
use crate::total::TotalKind;

/// An object whose records are read
#[derive(Clone, Debug)]
pub struct Source {
    /// Its names
    pub names: Names,
    /// What is kept of its records
    pub keep: Projection,
    /// The paths that are kept, in the order of their slots
    pub paths: Vec<String>,
    /// Paths that records may lack
    pub optional: Vec<FieldSlot>,
    /// Where `createdAt` is kept: tells a record that a write has made from one that was there
    pub created_at: FieldSlot,
    /// What the metadata say of each path; empty where they could not be read
    pub kinds: Vec<Option<PathKind>>,
}

/// A value of a child and what it must meet
#[derive(Clone, Debug)]
pub struct ChildTest {
    /// Where the value is kept
    pub slot: FieldSlot,
    /// Where the amount is kept that is taken off it first
    pub subtrahend: Option<FieldSlot>,
    /// What it must meet
    pub condition: PreparedCondition,
}

impl ChildTest {
    /// The value that counts
    #[must_use]
    pub fn value(&self, record: &Record) -> Value {
        let value = record.value(self.slot);
        match (value.number(), self.subtrahend.and_then(|subtrahend| record.value(subtrahend).number())) {
            (Some(amount), Some(subtrahend)) => {
                amount.checked_add(subtrahend.negated()).map_or(Value::Unknown, Value::Number)
            }
            _ => value.clone(),
        }
    }

    /// Whether a child meets it
    #[must_use]
    pub fn holds(&self, record: &Record) -> bool {
        match self.subtrahend {
            None => self.condition.holds(record.value(self.slot)),
            Some(_) => self.condition.holds(&self.value(record)),
        }
    }
}

/// What a child must meet, all of it
pub type Tests = Vec<ChildTest>;

/// One definition, ready to run
#[derive(Clone, Debug)]
pub struct Rollup {
    /// Number of the definition in the configuration
    pub number: usize,
    /// The definition, as far as this workspace has what it names
    pub definition: Definition,
    /// Object of the parents
    pub parent: SourceId,
    /// Object of the children
    pub child: SourceId,
    /// Field of the child that holds the parent's id
    pub relation_field: String,
    /// Where that is kept
    pub relation: FieldSlot,
    /// What a child must meet to be counted
    pub tests: Tests,
    /// The totals
    pub columns: IdList<ColumnId, Column>,
    /// Rollups whose totals this one reads
    pub needs: Vec<RollupId>,
}

/// One total, ready to run
#[derive(Clone, Debug)]
pub struct Column {
    /// Number of the aggregation in its definition
    pub number: usize,
    /// What it computes
    pub aggregation: Aggregation,
    /// Where the value of a child is kept, if one is read
    pub value: Option<FieldSlot>,
    /// Where its currency code is kept
    pub code: Option<FieldSlot>,
    /// Where the amount is kept that is taken off the value, and its currency code
    pub subtrahend: Option<(FieldSlot, Option<FieldSlot>)>,
    /// What a child must meet for this total
    pub tests: Tests,
    /// What kind of field receives it
    pub total_kind: TotalKind,
    /// Where the stored total of a parent is kept
    pub stored: FieldSlot,
    /// Where its stored code is kept, if it is money
    pub stored_code: Option<FieldSlot>,
}

impl Column {
    /// Stored code of a parent; null for totals without one
    #[must_use]
    pub fn code_in<'a>(&self, parent: &'a Record) -> &'a Value {
        self.stored_code.map_or(&Value::Null, |slot| parent.value(slot))
    }
}

/// All definitions that can run, and the objects that they read
#[derive(Clone, Debug, Default)]
pub struct CompiledRollups {
    /// The objects
    pub sources: IdList<SourceId, Source>,
    /// The definitions
    pub rollups: IdList<RollupId, Rollup>,
    /// What was left out
    pub skipped: Vec<Skipped>,
    /// What else is worth knowing
    pub notes: Vec<String>,
}

impl CompiledRollups {
    /// Makes the definitions ready for a workspace
    ///
    /// # Examples
    ///
    /// ```
    /// use ports::Timestamp;
    /// use rollup::calendar::Calendar;
    /// use rollup::compiled::{CompiledRollups, ProvenBy};
    /// use rollup::definitions::parse;
    /// use serde_json::json;
    ///
    /// let definitions = parse(&json!([{
    ///     "parentObject": "person", "childObject": "gift", "relationField": "donorId",
    ///     "aggregations": [{ "type": "COUNT", "parentField": "lifetimeGiftCount" }],
    /// }])).unwrap();
    /// let calendar = Calendar::utc(Timestamp::from_millis(0), 1);
    /// let compiled = CompiledRollups::new(&definitions, &ProvenBy::Offline, &calendar);
    /// assert_eq!((compiled.rollups.len(), compiled.skipped.len()), (1, 0));
    /// ```
    #[must_use]
    pub fn new(definitions: &[Definition], workspace: &Workspace<'_>, calendar: &Calendar) -> Self {
        Self::chosen(definitions, None, workspace, calendar)
    }

    /// As [`Self::new`], of these definitions alone, by their numbers, and of those whose totals they read
    #[must_use]
    pub fn chosen(
        definitions: &[Definition],
        only: Option<&[usize]>,
        workspace: &Workspace<'_>,
        calendar: &Calendar,
    ) -> Self {
        let only = only.map(|only| with_needed(definitions, only));
        let mut compiled = Self::default();
        // By number of the definition: those that do not run have no rollup.
        let mut running: Vec<Option<RollupId>> = Vec::with_capacity(definitions.len());
        for (number, definition) in definitions.iter().enumerate() {
            if only.as_ref().is_some_and(|only| !only.contains(&number)) {
                running.push(None);
                continue;
            }
            let rollup = compiled.rollup(number, definition, workspace, calendar);
            running.push(rollup.map(|rollup| compiled.rollups.push(rollup)));
        }
        if let Workspace::Names(_) = workspace {
            compiled.notes.extend(unproven(definitions));
        }
        if let Workspace::Metadata(schema) = workspace {
            for source in &mut compiled.sources {
                if let Ok(object) = schema.object(&source.names.singular) {
                    source.kinds = source.paths.iter().map(|path| PathKind::of_field(object, path)).collect();
                }
            }
        }
        for rollup in &mut compiled.rollups {
            let needed = dependencies(definitions, rollup.number).into_iter();
            rollup.needs = needed.filter_map(|number| running.get(number).copied().flatten()).collect();
        }
        compiled
    }

    /// One definition as far as the workspace has what it names; nothing if that leaves nothing to compute
    fn rollup(
        &mut self,
        number: usize,
        definition: &Definition,
        workspace: &Workspace<'_>,
        calendar: &Calendar,
    ) -> Option<Rollup> {
        let definition = &workspace.without_missing_subtractions(definition, &mut self.notes);
        let proven = match workspace.prove(definition) {
            Ok(proven) => proven,
            Err(unfit) => {
                self.skipped.push(unfit.skipped(number, None));
                return None;
            }
        };
        let left_out = proven.left_out.into_iter();
        self.skipped.extend(left_out.map(|(aggregation, unfit)| unfit.skipped(number, Some(aggregation))));
        if proven.total_kinds.is_empty() {
            return None;
        }
        let parent = self.source(&proven.parent);
        let child = self.source(&proven.child);
        let mut rollup = Rollup {
            number,
            definition: definition.clone(),
            parent,
            child,
            relation_field: definition.relation_field.clone(),
            relation: self.keep(child, &definition.relation_field),
            tests: self.tests(child, &definition.child_filters, calendar),
            columns: IdList::default(),
            needs: Vec::new(),
        };
        for (index, aggregation) in definition.aggregations.iter().enumerate() {
            if let Some((_, total_kind)) = proven.total_kinds.iter().find(|(number, _)| *number == index) {
                rollup.columns.push(self.column(parent, child, index, aggregation, *total_kind, calendar));
            }
        }
        Some(rollup)
    }

    fn column(
        &mut self,
        parent: SourceId,
        child: SourceId,
        number: usize,
        aggregation: &Aggregation,
        total_kind: TotalKind,
        calendar: &Calendar,
    ) -> Column {
        let money = total_kind == TotalKind::Money;
        let field = &aggregation.parent_field;
        let stored = if money { format!("{field}.amountMicros") } else { field.clone() };
        Column {
            number,
            value: aggregation.child_field.as_deref().map(|path| self.keep(child, path)),
            code: aggregation.code_path().map(|path| self.keep(child, &path)),
            subtrahend: aggregation.subtract_field.as_deref().map(|path| {
                (self.keep_optional(child, path), code_beside(path).map(|code| self.keep_optional(child, &code)))
            }),
            tests: self.tests(child, &aggregation.filters, calendar),
            total_kind,
            stored: self.keep(parent, &stored),
            stored_code: money.then(|| self.keep(parent, &format!("{field}.currencyCode"))),
            aggregation: aggregation.clone(),
        }
    }

    fn tests(&mut self, source: SourceId, conditions: &[Condition], calendar: &Calendar) -> Tests {
        let mut tests = Tests::new();
        for condition in conditions {
            tests.push(ChildTest {
                slot: self.keep(source, &condition.field),
                subtrahend: condition.subtract_field.as_deref().map(|path| self.keep_optional(source, path)),
                condition: PreparedCondition::new(condition, calendar),
            });
        }
        tests
    }

    fn source(&mut self, names: &Names) -> SourceId {
        self.sources.find(|source| source.names == *names).unwrap_or_else(|| {
            let mut keep = Projection::default();
            let created_at = keep.add("createdAt");
            let paths = vec!["createdAt".to_owned()];
            let optional = Vec::new();
            self.sources.push(Source { names: names.clone(), keep, paths, optional, created_at, kinds: Vec::new() })
        })
    }

    fn keep(&mut self, source: SourceId, path: &str) -> FieldSlot {
        let source = &mut self.sources[source];
        let slot = source.keep.add(path);
        if source.keep.len() > source.paths.len() {
            source.paths.push(path.to_owned());
        }
        slot
    }

    /// Keeps a path that records may lack: nothing is taken off then
    fn keep_optional(&mut self, source: SourceId, path: &str) -> FieldSlot {
        let slot = self.keep(source, path);
        let optional = &mut self.sources[source].optional;
        if !optional.contains(&slot) {
            optional.push(slot);
        }
        slot
    }

    /// Name of an object in the singular
    #[must_use]
    pub fn name(&self, source: SourceId) -> &str {
        &self.sources[source].names.singular
    }

    /// No parents to recompute, for each rollup
    pub(crate) fn no_targets(&self) -> IdList<RollupId, Ids> {
        self.rollups.iter().map(|_| Ids::default()).collect()
    }

    /// Rollups that write to this object
    pub fn into_parent(&self, source: SourceId) -> impl Iterator<Item = RollupId> + '_ {
        self.rollups.entries().filter(move |(_, rollup)| rollup.parent == source).map(|(id, _)| id)
    }
}

/// These definitions and those whose totals they read, by number
fn with_needed(definitions: &[Definition], only: &[usize]) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    let mut left = only.to_vec();
    while let Some(number) = left.pop() {
        if number < definitions.len() && chosen.insert(number) {
            left.extend(dependencies(definitions, number));
        }
    }
    chosen
}

/// Says which fields are compared with values that only the metadata could prove to be possible there.
fn unproven(definitions: &[Definition]) -> Option<String> {
    let mut fields: Vec<String> = Vec::new();
    for definition in definitions {
        for (_, _, condition) in definition.conditions() {
            let field = format!("`{}.{}`", definition.child_object, condition.field);
            if condition.needs_proof() && !fields.contains(&field) {
                fields.push(field);
            }
        }
    }
    let list = fields.join(", ");
    (!fields.is_empty()).then(|| {
        format!("the metadata could not be read, so the values that {list} are compared with are taken at their word")
    })
}
