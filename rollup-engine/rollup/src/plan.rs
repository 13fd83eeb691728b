//! The cheapest exact way to read a workspace, in requests, that fits into the time left.
//!
//! Three ways give the same totals:
//! - **group-by**: the server adds the children up, a few requests for all parents of a definition;
//! - **scan**: all children are read once, for all definitions;
//! - **slices**: a page of parents at a time, with the children of just those. Dearest, but each slice is complete in
//!   itself: a run that is killed loses one slice, and memory does not grow with the workspace.
//!
//! Group-by and scan can be mixed, object by object. Nothing here makes a request: counts in, a plan out.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::compiled::{CompiledRollups, Step, stages};
use crate::ids::{IdList, RollupId, SourceId};

/// Records in one upsert
pub const MAX_BATCH: u64 = 200;

/// Parents that waited for too long to be written and are read again by one request, as the plan expects: those of 8
/// upserts, which go out before that reading is too old, in the same burst of calls and the next one
pub const PARENTS_A_RECHECK: u64 = 1_600;

/// How the children of a definition are read
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// The server adds them up
    GroupBy,
    /// All of them, once
    Scan,
    /// With their parents, page by page
    Slices,
}

/// What is known before anything is read
#[derive(Clone, Debug)]
pub struct Survey<'a> {
    /// What is to be computed
    pub compiled: &'a CompiledRollups,
    /// Records of each object, by source; nothing for one that cannot be read
    pub counts: IdList<SourceId, Option<u64>>,
    /// Requests that the groups of a rollup cost, by rollup; nothing where the server cannot add up
    pub groups: IdList<RollupId, Option<u64>>,
    /// Requests that the survey itself has cost
    pub spent: u64,
    /// Whether the first page of each object has been read by it
    pub first_page: bool,
    /// Whether GraphQL serves
    pub graphql: bool,
    /// Records a page
    pub page: u64,
    /// How each object's parents are sliced, by source
    pub slices: IdList<SourceId, SliceCost>,
    /// Parents whose totals are kept in memory at once, at most
    pub parents_in_memory: u64,
    /// Whether slices were asked for
    pub sliced: bool,
    /// How fast requests may go, and how much time there is
    pub pace: RequestRate,
}

/// What a slice of one object's parents takes
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceCost {
    /// Parents in it
    pub parents: u64,
    /// Requests for the groups of its children, where the server adds them up
    pub groups: Option<u64>,
}

/// How fast requests may go
#[derive(Clone, Copy, Debug)]
pub struct RequestRate {
    /// Requests a minute; nothing for no limit
    pub per_minute: Option<u32>,
    /// Requests that may go at once
    pub burst: u64,
    /// The server's own time for a request, as far as it was measured
    pub call: Duration,
    /// Requests at once
    pub concurrency: u64,
    /// Time left; nothing for no end
    pub left: Option<Duration>,
}

/// What an upsert of a full batch takes Twenty
const UPSERT_TIME: Duration = Duration::from_secs(1);

/// What the rate limiter adds to the time in which the server earns a token back
const REFILL_MARGIN: Duration = Duration::from_millis(20);

impl RequestRate {
    /// Time that this many requests take
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use rollup::plan::RequestRate;
    ///
    /// let pace = RequestRate {
    ///     per_minute: Some(80),
    ///     burst: 80,
    ///     call: Duration::from_millis(100),
    ///     concurrency: 4,
    ///     left: None,
    /// };
    /// assert_eq!(pace.time(160), Duration::from_mins(1));
    /// ```
    #[must_use]
    pub fn time(&self, requests: u64) -> Duration {
        let waiting = match self.per_minute {
            Some(rate) => Duration::from_millis(requests.saturating_sub(self.burst) * 60_000 / u64::from(rate.max(1))),
            None => Duration::ZERO,
        };
        waiting.max(self.server_time(requests, 0))
    }

    /// Time that the server itself takes for reads side by side, and for upserts one after the other
    #[must_use]
    pub fn server_time(&self, reads: u64, writes: u64) -> Duration {
        let times = |each: Duration, many: u64| each * u32::try_from(many).unwrap_or(u32::MAX);
        times(self.call, reads.div_ceil(self.concurrency.max(1))) + times(UPSERT_TIME.max(self.call), writes)
    }

    /// Time that reads and then writes take on a server that takes its time: a burst, and a pause after its last answer
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use rollup::plan::RequestRate;
    ///
    /// let pace = RequestRate {
    ///     per_minute: Some(80),
    ///     burst: 80,
    ///     call: Duration::from_millis(100),
    ///     concurrency: 4,
    ///     left: None,
    /// };
    /// assert_eq!(pace.time_at_most(20, 140), Duration::from_millis(190_100));
    /// ```
    #[must_use]
    pub fn time_at_most(&self, reads: u64, writes: u64) -> Duration {
        let Some(rate) = self.per_minute else { return self.server_time(reads, writes) };
        let period = Duration::from_mins(1) / rate.max(1);
        let next = u64::from(rate / 10).clamp(1, self.burst.max(1));
        let earned = u32::try_from(next).unwrap_or(u32::MAX);
        let (mut reads, mut writes, mut burst, mut time) = (reads, writes, self.burst.max(1), Duration::ZERO);
        loop {
            let read = reads.min(burst);
            let written = writes.min(burst - read);
            let took = self.server_time(read, written);
            (reads, writes, burst) = (reads - read, writes - written, next);
            if reads + writes == 0 {
                return time + took;
            }
            time += (period * earned).max(took + (period * 4 / 5 + REFILL_MARGIN) * earned);
        }
    }
}

/// What a run is expected to cost, and what it has
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The way that was chosen; `group-by` if any definition goes that way
    pub reading: Option<Reading>,
    /// Requests to read and compare everything
    pub reads: u64,
    /// Requests to write, if every parent differs
    pub writes_at_most: u64,
    /// Requests to write what differs, known once everything is compared
    pub writes: Option<u64>,
    /// Seconds that reading and writing everything take at least, waiting for the budget included
    pub seconds: u64,
    /// Seconds that they take on a server that needs its time for each write
    pub seconds_at_most: u64,
    /// Why this way
    pub why: String,
    /// Records by object
    pub counts: Map<String, Json>,
    /// Each definition
    pub definitions: Vec<DefinitionPlan>,
    /// What the run has spent
    pub spent: Spent,
}

/// Requests by their purpose
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Spent {
    /// To read and compare
    pub reads: u64,
    /// To write
    pub writes: u64,
    /// To look again: at parents that waited to be written, and at what moved meanwhile
    pub rechecks: u64,
}

/// What one definition costs
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DefinitionPlan {
    /// Its number
    pub definition: usize,
    /// Object of the parents
    pub parent_object: String,
    /// Object of the children
    pub child_object: String,
    /// How the children are read
    pub reading: Reading,
    /// Requests for the groups; none for children that are read for several definitions
    pub reads: u64,
    /// Why this way
    pub why: &'static str,
}

/// The plan, and how to go about it
#[derive(Clone, Debug)]
pub struct ChosenPlan {
    /// What to report
    pub plan: Plan,
    /// Rollups whose children the server adds up
    pub grouped: Vec<RollupId>,
    /// Whether to go slice by slice
    pub sliced: bool,
}

impl Survey<'_> {
    fn count(&self, source: SourceId) -> u64 {
        self.counts[source].unwrap_or(0)
    }

    /// Requests to read all records of an object
    fn pages(&self, source: SourceId) -> u64 {
        match self.count(source) {
            0 => 0,
            // A first page by REST has been read, and shows 200.
            count if self.first_page => count.saturating_sub(MAX_BATCH).div_ceil(self.page),
            count => count.div_ceil(self.page),
        }
    }

    /// Requests of one rollup's groups; none are needed where there is nothing on one side
    fn group_reads(&self, id: RollupId) -> Option<u64> {
        let rollup = &self.compiled.rollups[id];
        let cost = self.groups[id]?;
        let empty = self.count(rollup.parent) == 0 || self.count(rollup.child) == 0;
        Some(if empty { 0 } else { cost })
    }

    /// Rollups whose children the server adds up: all rollups of a child object or none, whichever costs less
    fn grouped(&self) -> Vec<RollupId> {
        let mut grouped = Vec::new();
        for child in self.compiled.sources.ids() {
            let of_child = || self.compiled.rollups.entries().filter(move |(_, rollup)| rollup.child == child);
            // Totals over totals are added up from the parents that are read anyway.
            let direct = || of_child().filter(|(_, rollup)| rollup.needs.is_empty()).map(|(index, _)| index);
            let cost = direct().map(|index| self.group_reads(index)).sum::<Option<u64>>();
            let is_parent = self.compiled.into_parent(child).next().is_some();
            let scanned = if is_parent { 0 } else { self.pages(child) };
            if let Some(cost) = cost
                && cost < scanned
            {
                grouped.extend(direct());
            }
        }
        grouped
    }

    fn whole_reads(&self, grouped: &[RollupId]) -> u64 {
        let steps: u64 =
            stages(self.compiled, grouped).iter().flatten().map(|step: &Step| self.pages(step.source)).sum();
        let groups: u64 = grouped.iter().filter_map(|id| self.group_reads(*id)).sum();
        self.spent + steps + groups
    }

    fn sliced_reads(&self) -> u64 {
        let mut reads = self.spent;
        for source in self.compiled.sources.ids() {
            let slice = self.slices[source];
            let slices = self.count(source).div_ceil(slice.parents.max(1));
            if let Some(groups) = slice.groups {
                reads += slices * (1 + groups);
                continue;
            }
            let mut relations: Vec<(SourceId, &str)> = Vec::new();
            for id in self.compiled.into_parent(source) {
                let rollup = &self.compiled.rollups[id];
                let relation = (rollup.child, rollup.relation_field.as_str());
                if relations.contains(&relation) {
                    continue;
                }
                relations.push(relation);
                // Spread evenly, each slice ends with a page that is half full.
                reads += slices.max(self.count(rollup.child).div_ceil(self.page) + slices / 2);
            }
            if !relations.is_empty() {
                reads += slices;
            }
        }
        reads
    }

    fn writes(&self) -> u64 {
        let parents = self.compiled.sources.ids().filter(|source| self.compiled.into_parent(*source).next().is_some());
        parents
            .map(|source| self.count(source))
            .filter(|count| *count > 0)
            .map(|count| count.div_ceil(MAX_BATCH) + count.div_ceil(PARENTS_A_RECHECK))
            .sum()
    }

    /// Chooses
    #[must_use]
    pub fn choose(&self) -> ChosenPlan {
        let grouped = self.grouped();
        let writes_at_most = self.writes();
        let whole = self.whole_reads(&grouped);
        let most = self
            .compiled
            .sources
            .ids()
            .filter(|source| self.compiled.into_parent(*source).next().is_some())
            .map(|source| self.count(source))
            .max()
            .unwrap_or(0);
        let fits = |requests| self.pace.left.is_none_or(|left| self.pace.time(requests) <= left);
        // Groups are read again for a few requests after a stop; a scan that is cut short has brought nothing.
        let cheap_again = !grouped.is_empty() && whole <= self.pace.burst.max(MAX_BATCH / 10);
        let (sliced, why) = if self.sliced {
            (true, "asked for by `rebuild`".to_owned())
        } else if most > self.parents_in_memory {
            (true, format!("{most} parents are more than are kept in memory at once"))
        } else if !fits(whole + writes_at_most) && !cheap_again {
            let needed = self.pace.time(whole + writes_at_most).as_secs();
            (true, format!("reading everything first takes up to {needed} s, more than is left"))
        } else if !grouped.is_empty() {
            (false, format!("the server adds up: {whole} requests, a scan takes {}", self.whole_reads(&[])))
        } else {
            (false, format!("one scan serves all definitions: {whole} requests"))
        };
        let reads = if sliced { self.sliced_reads() } else { whole };
        let reading = match (sliced, !grouped.is_empty()) {
            (true, _) => Reading::Slices,
            (false, true) => Reading::GroupBy,
            (false, false) => Reading::Scan,
        };
        let mut plan = Plan {
            reading: Some(reading),
            reads,
            writes_at_most,
            seconds: self.pace.time(reads + writes_at_most).as_secs(),
            seconds_at_most: self.pace.time_at_most(reads, writes_at_most).as_secs(),
            why,
            ..Plan::default()
        };
        for (source, object) in self.compiled.sources.entries() {
            let count = self.counts[source];
            plan.counts.insert(object.names.singular.clone(), count.map_or(Json::Null, Json::from));
        }
        for (id, rollup) in self.compiled.rollups.entries() {
            let name = |source: SourceId| self.compiled.sources[source].names.singular.clone();
            let (reading, why) = match (sliced, grouped.contains(&id), self.groups[id]) {
                (true, ..) => (Reading::Slices, "with its parents, page by page"),
                (false, true, _) => (Reading::GroupBy, "the server adds up with the same result"),
                (false, false, Some(_)) => (Reading::Scan, "the children are read in fewer requests than their groups"),
                (false, false, None) if !rollup.needs.is_empty() => {
                    (Reading::Scan, "its children are parents themselves, and are read as such")
                }
                (false, false, None) if !self.graphql => (Reading::Scan, "over REST the children are read"),
                (false, false, None) => (Reading::Scan, "the server cannot add it up with the same result"),
            };
            plan.definitions.push(DefinitionPlan {
                definition: rollup.number,
                parent_object: name(rollup.parent),
                child_object: name(rollup.child),
                reading,
                reads: if reading == Reading::GroupBy { self.group_reads(id).unwrap_or(0) } else { 0 },
                why,
            });
        }
        ChosenPlan { plan, grouped, sliced }
    }
}
