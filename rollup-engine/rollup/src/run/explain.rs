//! How the totals of one parent come about: which children are counted, and why the others are not.

use serde_json::{Map, Value as Json};
use twenty::client::PageQuery;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::page::Record as Row;
use twenty::value::Value;
use uuid::Uuid;

use super::Run;
use super::drift::plain;
use super::outcome::{Explained, ExplainedTotal};
use super::read::Reading;
use super::stop::Stop;
use super::targeted::Scope;
use crate::compiled::{Column, Rollup, Tests};
use crate::definitions::{Condition, Definition};
use crate::ids::{Ids, RollupId, SourceId};
use crate::total::Total;

impl Run<'_> {
    /// Explains one parent, and keeps the explanation for the report.
    pub(crate) async fn explain(&self, object: &str, id: Uuid) -> Result<(), Stop> {
        let mut explanation = Map::new();
        explanation.insert("parentObject".to_owned(), object.into());
        explanation.insert("id".to_owned(), id.to_string().into());
        let source = self.compiled.sources.ids().find(|source| self.compiled.name(*source) == object);
        let row = match source {
            Some(source) => self.live_record(source, id).await?,
            None => None,
        };
        explanation.insert("found".to_owned(), row.is_some().into());
        let mut definitions = Vec::new();
        if let (Some(source), Some(_)) = (source, row) {
            // The computation of a targeted run that writes nothing: its comparison is the one that counts.
            let of_parent =
                |rollup: &Rollup| if rollup.parent == source { Ids::from_iter([id]) } else { Ids::default() };
            let targets = self.compiled.rollups.iter().map(of_parent).collect();
            self.compute_below(&targets).await?;
            self.outcome.explained.replace(Some(Explained { source, id, totals: Vec::new() }));
            let scope = self.pass(&targets).await?;
            let explained = self.outcome.explained.take();
            let totals = explained.map(|explained| explained.totals).unwrap_or_default();
            for index in self.compiled.into_parent(source) {
                definitions.push(self.explain_rollup(index, id, &scope, &totals).await?);
            }
        }
        explanation.insert("definitions".to_owned(), Json::Array(definitions));
        self.outcome.record.borrow_mut().explanation = Some(Json::Object(explanation));
        Ok(())
    }

    /// A live record, if there is one
    async fn live_record(&self, source: SourceId, id: Uuid) -> Result<Option<Row>, Stop> {
        let object = &self.compiled.sources[source];
        match self.client.get(&object.names, id, &object.keep).await {
            Ok(page) => Ok(page.records.into_iter().next()),
            Err(ApiError::NotFound { .. }) => Ok(None),
            Err(error) => Err(Stop::of_error(error)),
        }
    }

    async fn explain_rollup(
        &self,
        index: RollupId,
        parent: Uuid,
        scope: &Scope,
        totals: &[ExplainedTotal],
    ) -> Result<Json, Stop> {
        let mut shown = Map::new();
        let rollup = &self.compiled.rollups[index];
        let definition = &rollup.definition;
        let mut children = Vec::new();
        for (row, deleted) in self.children(rollup, parent).await? {
            // A child that carries totals itself was counted with those that belong to it, not with those it has stored.
            let settled = scope.is_settled_first(rollup).then(|| scope.rows[rollup.child].get(row.id)).flatten();
            let below = self.below.get(rollup.child, row.id);
            let counted = settled.or(below.as_ref()).unwrap_or(&row);
            let why = if deleted {
                Some("it is deleted".to_owned())
            } else {
                unmet_condition(&rollup.tests, &definition.child_filters, counted)
            };
            children.push(explain_child(rollup, definition, counted, why.as_deref()));
        }
        let totals = totals.iter().filter(|total| total.rollup == index);
        let totals = totals.map(|total| total_json(&rollup.columns[total.column], total)).collect();
        shown.insert("definition".to_owned(), rollup.number.into());
        shown.insert("childObject".to_owned(), definition.child_object.as_str().into());
        shown.insert("relationField".to_owned(), definition.relation_field.as_str().into());
        shown.insert("children".to_owned(), Json::Array(children));
        shown.insert("totals".to_owned(), Json::Array(totals));
        Ok(Json::Object(shown))
    }

    /// All children of a parent, with whether they are deleted
    async fn children(&self, rollup: &Rollup, parent: Uuid) -> Result<Vec<(Row, bool)>, Stop> {
        let object = &self.compiled.sources[rollup.child];
        let mut keep = object.keep.clone();
        let deleted_at = keep.add("deletedAt");
        let of_parent = Filter::IdIn(rollup.relation_field.clone(), vec![parent]);
        let filter = Filter::And(vec![of_parent, Filter::with_deleted()]);
        let mut children = Vec::new();
        let mut after = None::<String>;
        let (mut reading, mut readings) = (Reading::default(), 1);
        loop {
            let query = PageQuery { filter: Some(&filter), after: after.as_deref(), limit: self.options.page_size };
            let page = self.client.list(&object.names, query, &keep).await.map_err(Stop::of_error)?;
            reading.add_page(&page);
            for row in page.records {
                let deleted = !row.value(deleted_at).is_absent();
                children.push((row, deleted));
            }
            if !page.has_next_page {
                if self.reader.is_short(rollup.child, &reading, readings).map_err(Stop::of_error)? {
                    (reading, readings, after) = (Reading::default(), readings + 1, None);
                    children.clear();
                    continue;
                }
                return Ok(children);
            }
            after = page.end_cursor;
        }
    }
}

/// A total as it stands in the explanation; `right` is null where no value is
fn total_json(column: &Column, total: &ExplainedTotal) -> Json {
    let mut entry = Map::new();
    entry.insert("parentField".to_owned(), column.aggregation.parent_field.as_str().into());
    entry.insert("stored".to_owned(), total.stored.clone());
    let computed = match &total.computed {
        Total::Mixed(codes) => format!("amounts in several currencies: {}", codes.join(", ")).into(),
        Total::Unknown => "not known: a value is not a number, or the sum is out of range".into(),
        known => known.to_json().unwrap_or(Json::Null),
    };
    entry.insert("computed".to_owned(), computed);
    let has_value = !matches!(total.computed, Total::Mixed(_) | Total::Unknown);
    entry.insert("right".to_owned(), if has_value || total.differs { (!total.differs).into() } else { Json::Null });
    Json::Object(entry)
}

fn explain_child(rollup: &Rollup, definition: &Definition, row: &Row, why: Option<&str>) -> Json {
    let mut child = Map::new();
    child.insert("id".to_owned(), row.id.to_string().into());
    child.insert("counted".to_owned(), why.is_none().into());
    child.insert("why".to_owned(), why.map_or(Json::Null, Json::from));
    let mut left_out = Vec::new();
    for column in &rollup.columns {
        let filters = definition.aggregations.get(column.number).map(|aggregation| aggregation.filters.as_slice());
        let empty = column.value.is_some_and(|slot| row.value(slot).is_absent());
        let reason = unmet_condition(&column.tests, filters.unwrap_or_default(), row).or_else(|| {
            empty.then(|| format!("`{}` is empty", column.aggregation.child_field.as_deref().unwrap_or_default()))
        });
        if let (None, Some(reason)) = (why, reason) {
            let mut entry = Map::new();
            entry.insert("parentField".to_owned(), column.aggregation.parent_field.as_str().into());
            entry.insert("why".to_owned(), reason.into());
            left_out.push(Json::Object(entry));
        }
    }
    child.insert("leftOutOf".to_owned(), Json::Array(left_out));
    Json::Object(child)
}

/// The first condition that a child does not meet, in words
fn unmet_condition(tests: &Tests, conditions: &[Condition], row: &Row) -> Option<String> {
    let failed = tests.iter().zip(conditions).find(|(test, _)| !test.holds(row));
    failed.map(|(test, condition)| {
        let found = match test.value(row) {
            Value::Null | Value::Missing => "empty".to_owned(),
            value => serde_json::to_string(&plain(&value)).unwrap_or_default(),
        };
        let less = condition.subtract_field.as_ref().map_or_else(String::new, |less| format!(" less `{less}`"));
        format!("`{}`{less} is {found}, counted is {}", condition.field, condition.describe())
    })
}
