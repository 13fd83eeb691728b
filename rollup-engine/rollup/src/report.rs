//! What a run did, as it is handed to the caller. Nothing is reported that was not done.

use serde::Serialize;
use serde_json::{Map, Value as Json};
use twenty::request_stats::RequestStats;
use uuid::Uuid;

use crate::compiled::Skipped;
use crate::plan::Plan;

/// Most parents that a list in the report names; the counts go on
pub const MAX_NAMED: usize = 100;

/// How a run ended
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All parents are right
    #[default]
    Ok,
    /// Some are not: the time ran out, or Twenty refused some of them
    Partial,
    /// There was nothing to do
    Noop,
    /// Nothing could be done, or not what was asked
    Error,
}

impl Status {
    /// Its name in the report
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "partial",
            Self::Noop => "noop",
            Self::Error => "error",
        }
    }
}

/// What a run was to do
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every parent
    #[default]
    FullRebuild,
    /// The parents that were named
    Targeted,
    /// Whatever may have changed without being told
    Sweep,
    /// Only what a rebuild would cost
    Plan,
    /// Only what a rebuild would change
    DryRun,
    /// Only how the totals of one parent come about
    Explain,
    /// Only what the last runs have left
    Health,
}

impl Mode {
    /// Its name in the report
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullRebuild => "full-rebuild",
            Self::Targeted => "targeted",
            Self::Sweep => "sweep",
            Self::Plan => "plan",
            Self::DryRun => "dry-run",
            Self::Explain => "explain",
            Self::Health => "health",
        }
    }

    /// Whether it puts right whatever is wrong, and so keeps others of its kind away
    #[must_use]
    pub fn covers_everything(self) -> bool {
        matches!(self, Self::FullRebuild | Self::Sweep)
    }
}

/// Counts of parents; one that several definitions write to counts once
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Parents whose totals were computed and compared
    pub processed: u64,
    /// Parents that Twenty has confirmed as written
    pub updated: u64,
    /// Parents that were right already
    pub unchanged: u64,
    /// Those of the updated that have no child left
    pub reset: u64,
    /// Parents that could not be written, or whose total is not known
    pub failed: u64,
    /// Parents with amounts in several currencies
    pub mixed_currency: u64,
}

/// Counts of one definition
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// Object of the parents
    pub parent_object: String,
    /// Object of the children
    pub child_object: String,
    /// Field of the child that holds the parent's id
    pub relation_field: String,
    /// Parents compared
    pub processed: u64,
    /// Parents written because of this definition
    pub updated: u64,
}

/// A parent with amounts in several currencies
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MixedCurrencyParent {
    /// Object of the parent
    pub parent_object: String,
    /// The parent
    pub id: Uuid,
    /// Field that was left as it is, or emptied
    pub field: String,
    /// The currencies; an empty text for amounts without one
    pub currencies: Vec<Box<str>>,
}

/// A parent that is not right
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Object of the parent
    pub parent_object: String,
    /// The parent
    pub id: Uuid,
    /// Why
    pub message: String,
}

/// Most wrong values that a report shows
pub const MAX_EXAMPLES: usize = 20;

/// Stored totals that were wrong
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// Parents with a wrong value
    pub parents: u64,
    /// Wrong values
    pub values: u64,
    /// Wrong values by field, as `person.lifetimeGiftAmount`
    pub fields: Map<String, Json>,
    /// Some of them
    pub examples: Vec<Example>,
    /// End of the last complete comparison, after which they went wrong, if that is known
    pub since: Option<String>,
}

/// A stored total that was wrong
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Example {
    /// Object of the parent
    pub parent_object: String,
    /// The parent
    pub id: Uuid,
    /// The field
    pub field: String,
    /// What stood there
    pub stored: Json,
    /// What belongs there
    pub computed: Json,
}

/// How things stand with the totals, going by what the last runs have left
///
/// # Examples
///
/// ```
/// use rollup::{Options, calculate_rollups};
/// use serde_json::json;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let mut options = Options::default();
/// options.environment.set("TWENTY_API_URL", "http://twenty.test");
/// options.environment.set("TWENTY_API_KEY", "key");
/// let host = support::StubHost::offline();
/// let report = calculate_rollups(&host, &json!({ "health": true }), &options).await;
/// assert_eq!(report.health.unwrap().problems[0].code, "nothing_known");
/// # });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// What somebody should look at; nothing if all is well
    pub problems: Vec<Problem>,
    /// The last rebuild
    pub rebuild: Option<Json>,
    /// The last sweep
    pub sweep: Option<Json>,
    /// The last run on events that did not end well
    pub events: Option<Json>,
    /// The last run that could not be handed to the queue
    pub hand_over: Option<Json>,
    /// End of the last complete comparison
    pub compared: Option<String>,
}

/// Something to look at
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Its stable name, for programs
    pub code: &'static str,
    /// What it is, in words
    pub message: String,
}

/// What a run did
///
/// # Examples
///
/// ```
/// use rollup::Report;
///
/// let report = serde_json::to_value(Report::error("missing_url", &"no address"))?;
/// assert_eq!((&report["status"], &report["code"]), (&"error".into(), &"missing_url".into()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// How it ended
    pub status: Status,
    /// Stable name of what went wrong, for programs
    pub code: Option<String>,
    /// What went wrong, in words
    pub message: Option<String>,
    /// What it was to do; nothing if that could not be told
    pub mode: Option<Mode>,
    /// Time that it took, in milliseconds
    pub took_ms: u64,
    /// Counts of parents
    pub totals: Totals,
    /// Definitions and aggregations that were left out
    pub skipped: Vec<Skipped>,
    /// Requests
    pub requests: RequestStats,
    /// Counts by definition, in the order of the configuration
    pub details: Vec<Detail>,
    /// Parents with amounts in several currencies, the first hundred
    pub mixed_currency: Vec<MixedCurrencyParent>,
    /// Parents that are not right, the first hundred
    pub failures: Vec<Failure>,
    /// What else is worth knowing
    pub notes: Vec<String>,
    /// Where a next run can go on; null for a run that is complete
    pub checkpoint: Option<Json>,
    /// Whether the rest was handed to a run that is to follow by itself
    pub continued: bool,
    /// What the run was expected to cost, and why it went about it as it did; for rebuilds
    pub plan: Option<Plan>,
    /// Stored totals that were wrong, and right since; for rebuilds
    pub drift: Option<Drift>,
    /// How the totals of one parent come about
    pub explanation: Option<Json>,
    /// How things stand, going by what the last runs have left
    pub health: Option<Health>,
    /// Id of the call that caused the run, if it had one
    pub request_id: Option<String>,
}

impl Report {
    /// The report of a run that could not start
    #[must_use]
    pub fn error(code: &str, message: &impl ToString) -> Self {
        Self {
            status: Status::Error,
            code: Some(code.to_owned()),
            message: Some(message.to_string()),
            ..Self::default()
        }
    }
}
