//! The questions that need no network: what do these children come to, are these definitions sound, and which fields do
//! they write to that a workspace lacks?

use std::collections::BTreeMap;

use ports::{Clock, TimeZones, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use twenty::page::read_bare_records;
use twenty::schema::Schema;

use crate::calendar::Calendar;
use crate::compiled::{CompiledRollups, ProvenBy};
use crate::config::Config;
use crate::definition::parse::parse;
use crate::definition::targets::{self, MissingField};
use crate::definitions::{Fault, parse_one};
use crate::fold;

/// Settings of [`compute_totals`]
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TotalsOptions {
    /// The moment of the computation, as ISO text; the host's clock if absent
    pub now: Option<String>,
    /// IANA zone whose days count; UTC if absent
    pub time_zone: Option<String>,
    /// Month in which the fiscal year begins, 1 to 12; January if absent
    pub fiscal_year_start_month: Option<u8>,
}

/// What stops [`compute_totals`]
#[derive(Debug, thiserror::Error)]
pub enum TotalsError {
    /// The definition is not sound
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Definition(Vec<Fault>),
    /// The records are not a list of objects
    #[error("records: {0}")]
    Records(String),
    /// An option is wrong
    #[error("{0}")]
    Options(Fault),
}

impl TotalsError {
    /// Stable name of the kind of error, for programs
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Definition(_) => "invalid_definition",
            Self::Records(_) => "invalid_records",
            Self::Options(_) => "invalid_options",
        }
    }
}

/// The values of a parent, by field, for these children: all of them, as Twenty returns them, of one parent
///
/// A total whose amounts are in several currencies, or whose values cannot be added up, has no entry. Without the
/// workspace's metadata an instant is cut to its day.
///
/// ```
/// # use ports::{Clock, TimeZones, Timestamp, async_trait};
/// # struct Now;
/// # #[async_trait(?Send)]
/// # impl Clock for Now {
/// #     fn now(&self) -> Timestamp { Timestamp::from_millis(0) }
/// #     async fn sleep(&self, _: std::time::Duration) {}
/// # }
/// # impl TimeZones for Now {
/// #     fn utc_offset(&self, _: &str, _: Timestamp) -> Option<i32> { None }
/// # }
/// use rollup::{TotalsOptions, compute_totals};
/// use serde_json::json;
///
/// let definition = json!({
///     "parentObject": "person", "childObject": "gift", "relationField": "donorId",
///     "aggregations": [{ "type": "MAX", "childField": "giftDate", "parentField": "lastGiftDate" }],
/// });
/// let gifts = br#"[{ "giftDate": "2026-03-05" }, { "giftDate": "2026-11-22" }]"#;
/// let totals = compute_totals(&Now, &definition, gifts, &TotalsOptions::default()).unwrap();
/// assert_eq!(totals["lastGiftDate"], "2026-11-22");
/// ```
///
/// # Errors
/// If the definition, the records or an option is not as it should be.
pub fn compute_totals(
    host: &(impl Clock + TimeZones),
    definition: &Json,
    records: &[u8],
    options: &TotalsOptions,
) -> Result<BTreeMap<String, Json>, TotalsError> {
    let definition = parse_one(definition).map_err(TotalsError::Definition)?;
    let calendar = calendar(host, options).map_err(TotalsError::Options)?;
    let compiled = CompiledRollups::new(&[definition], &ProvenBy::Offline, &calendar);
    // Offline nothing is left out but a definition without aggregations.
    let Some(rollup) = compiled.rollups.iter().next() else { return Ok(BTreeMap::new()) };
    let child = &compiled.sources[rollup.child];
    let records = read_bare_records(records, &child.keep).map_err(|error| TotalsError::Records(error.to_string()))?;
    let totals = fold::totals(rollup, &records, &calendar);
    let fields = rollup.columns.iter().map(|column| column.aggregation.parent_field.clone());
    Ok(fields.zip(totals).filter_map(|(field, total)| Some((field, total.to_json()?))).collect())
}

fn calendar(host: &(impl Clock + TimeZones), options: &TotalsOptions) -> Result<Calendar, Fault> {
    let now = match &options.now {
        None => host.now(),
        Some(text) => Timestamp::parse(text).ok_or_else(|| {
            Fault::new("now", format!("`{text}` is not an instant, expected such as `2026-11-22T21:26:57.641Z`"))
        })?,
    };
    let month = options.fiscal_year_start_month.unwrap_or(1);
    if !(1..=12).contains(&month) {
        return Err(Fault::new("fiscalYearStartMonth", format!("found {month}, expected a whole number from 1 to 12")));
    }
    let zone = options.time_zone.as_deref().unwrap_or("UTC");
    Calendar::in_zone(host, zone, now, month).ok_or_else(|| unknown_zone(zone))
}

/// The fault of a zone that the runtime does not know
#[must_use]
pub fn unknown_zone(zone: &str) -> Fault {
    Fault::new(
        "timeZone",
        format!("`{zone}` is no time zone that this runtime knows, expected such as `Europe/London`"),
    )
}

/// Whether a configuration is sound
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// Whether nothing is wrong
    pub valid: bool,
    /// What is wrong
    pub errors: Vec<Fault>,
    /// How many definitions there are, if nothing is wrong
    pub definitions: usize,
}

/// Checks a configuration, or a list of definitions, as far as that is possible without the workspace
///
/// ```
/// let validation = rollup::validate_definitions(&serde_json::json!([{ "parentObject": "person" }]));
/// assert!(!validation.valid);
/// ```
#[must_use]
pub fn validate_definitions(config: &Json) -> Validation {
    match Config::from_json(config) {
        Ok(config) => Validation { valid: true, errors: Vec::new(), definitions: config.definitions.len() },
        Err(errors) => Validation { valid: false, errors, definitions: 0 },
    }
}

/// What a workspace lacks of the fields that a configuration writes to
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingFields {
    /// What it lacks, in the order of the definitions
    pub fields: Vec<MissingField>,
    /// What is wrong with the configuration, in which case nothing else is told
    pub errors: Vec<Fault>,
}

/// Compares the fields that a configuration, or a list of definitions, writes to with the metadata of a workspace, as
/// `/rest/metadata/objects` answers with them
///
/// ```
/// use serde_json::json;
///
/// let definitions = json!([{ "parentObject": "person", "childObject": "gift", "relationField": "donorId",
///     "aggregations": [{ "type": "COUNT", "parentField": "giftCount", "label": "Gifts" }] }]);
/// let metadata = json!({ "data": [
///     { "nameSingular": "person", "namePlural": "people", "fields": [] },
///     { "nameSingular": "gift", "namePlural": "gifts", "fields": [] },
/// ] });
/// let missing = rollup::missing_fields(&definitions, &metadata);
/// assert_eq!((missing.fields[0].field.as_str(), missing.fields[0].label.as_deref()), ("giftCount", Some("Gifts")));
/// ```
#[must_use]
pub fn missing_fields(config: &Json, metadata: &Json) -> MissingFields {
    let none = |errors| MissingFields { fields: Vec::new(), errors };
    let definitions = match parse(config) {
        Ok(read) => read.definitions,
        Err(errors) => return none(errors),
    };
    let Some(page) = twenty::schema::objects_of(metadata) else {
        return none(vec![Fault::new("metadata", "expected what `/rest/metadata/objects` answers with")]);
    };
    let fields = targets::missing_fields(&definitions, &Schema::new(page.objects));
    MissingFields { fields, errors: Vec::new() }
}
