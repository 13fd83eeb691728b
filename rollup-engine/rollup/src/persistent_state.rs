//! What one run leaves for the next, where there is a store: a lease, a checkpoint, the time of the last sweep, the state of
//! the budget, and what became of it.
//!
//! The store has no compare-and-set, so a lease is advice: it keeps runs apart most of the time. Nothing in here is needed
//! for a right total; without a store each run simply knows less.

use std::time::Duration;

use ports::Timestamp;
use ports::time::whole_millis;
use serde_json::Value as Json;

use crate::checkpoint::Checkpoint;
use crate::health::{self, Kept};
use crate::host::RollupHost;
use crate::report::{Mode, Report, Status};

const LEASE_KEY: &str = "rollups.lease";
const CHECKPOINT_KEY: &str = "rollups.checkpoint";
const LAST_SWEEP_KEY: &str = "rollups.swept";
const LAST_COMPARISON_KEY: &str = "rollups.compared";
const ALLOWANCE_KEY: &str = "rollups.budget";
const REBUILD_KEY: &str = "rollups.rebuild";
const SWEEP_KEY: &str = "rollups.sweep";
const EVENTS_KEY: &str = "rollups.events";
/// Written by the app's small functions, which carry no engine
const HAND_OVER_KEY: &str = "rollups.hand-over";

/// The store, as the engine uses it
pub(crate) struct PersistentState<'a> {
    host: &'a dyn RollupHost,
    /// Tells this run's lease from another's
    run: u64,
}

impl<'a> PersistentState<'a> {
    pub(crate) fn new(host: &'a dyn RollupHost, run: u64) -> Self {
        Self { host, run }
    }

    /// Takes the lease for so long; false if another run has it
    pub(crate) async fn acquire_lease(&self, time: Duration) -> bool {
        let now = self.host.now();
        if let Some((until, run)) = self.pair(LEASE_KEY).await
            && until > now.as_millis()
            && run != self.run.to_string()
        {
            return false;
        }
        let until = (now + time).as_millis();
        self.host.set(LEASE_KEY, Some(&format!("{until} {}", self.run))).await;
        true
    }

    /// Gives the lease back, if it is still this run's
    pub(crate) async fn release_lease(&self) {
        if self.pair(LEASE_KEY).await.is_some_and(|(_, run)| run == self.run.to_string()) {
            self.host.set(LEASE_KEY, None).await;
        }
    }

    /// Where an earlier run with this configuration stopped
    pub(crate) async fn checkpoint(&self, config: u64) -> Option<Checkpoint> {
        Checkpoint::from_json(&self.json(CHECKPOINT_KEY).await?).ok().filter(|checkpoint| checkpoint.config == config)
    }

    /// Keeps where this run stopped, or that it came to its end; false where there is no store
    pub(crate) async fn set_checkpoint(&self, checkpoint: Option<&Json>) -> bool {
        let text = checkpoint.and_then(|json| serde_json::to_string(json).ok());
        self.host.set(CHECKPOINT_KEY, text.as_deref()).await
    }

    /// Server's time up to which the last sweep has seen all changes
    pub(crate) async fn last_sweep(&self) -> Option<Timestamp> {
        Some(Timestamp::from_millis(self.host.get(LAST_SWEEP_KEY).await?.parse().ok()?))
    }

    pub(crate) async fn set_last_sweep(&self, at: Timestamp) {
        self.host.set(LAST_SWEEP_KEY, Some(&at.as_millis().to_string())).await;
    }

    /// End of the last complete comparison
    pub(crate) async fn last_comparison(&self) -> Option<String> {
        self.host.get(LAST_COMPARISON_KEY).await
    }

    pub(crate) async fn set_last_comparison(&self, at: Timestamp) {
        self.host.set(LAST_COMPARISON_KEY, Some(&at.to_string())).await;
    }

    /// Requests that may go at once, after those of the runs before
    pub(crate) async fn allowance(&self, per_minute: Option<u32>) -> Option<u32> {
        let (at, left) = self.pair(ALLOWANCE_KEY).await?;
        let elapsed = whole_millis(self.host.now().since(Timestamp::from_millis(at)));
        let earned = elapsed.saturating_mul(u64::from(per_minute?)) / 60_000;
        Some(left.parse::<u32>().ok()?.saturating_add(u32::try_from(earned).unwrap_or(u32::MAX)))
    }

    pub(crate) async fn set_allowance(&self, left: u32) {
        let now = self.host.now().as_millis();
        self.host.set(ALLOWANCE_KEY, Some(&format!("{now} {left}"))).await;
    }

    /// Keeps what matters of a run, as its result may be lost on its way.
    pub(crate) async fn keep(&self, report: &Report) {
        let key = match report.mode {
            Some(Mode::FullRebuild) => REBUILD_KEY,
            Some(Mode::Sweep) => SWEEP_KEY,
            _ => EVENTS_KEY,
        };
        let earlier = if report.status == Status::Ok { None } else { self.json(key).await };
        let summary = health::summary(report, self.host.now(), earlier.as_ref());
        self.host.set(key, Some(&summary.to_string())).await;
    }

    /// What the last runs have left
    pub(crate) async fn kept(&self) -> Kept {
        Kept {
            rebuild: self.json(REBUILD_KEY).await,
            sweep: self.json(SWEEP_KEY).await,
            events: self.json(EVENTS_KEY).await,
            hand_over: self.json(HAND_OVER_KEY).await,
            compared: self.last_comparison().await,
        }
    }

    async fn json(&self, key: &str) -> Option<Json> {
        serde_json::from_slice(self.host.get(key).await?.as_bytes()).ok()
    }

    /// A number and a word, as kept under a name
    async fn pair(&self, key: &str) -> Option<(i64, String)> {
        let text = self.host.get(key).await?;
        let mut words = text.split(' ');
        Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
    }
}
