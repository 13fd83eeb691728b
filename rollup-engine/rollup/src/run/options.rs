//! How a run is to go about it.

use std::time::Duration;

use crate::config::{Config, MixedCurrency};
use crate::ids::{IdList, Ids, RollupId};
use crate::sizes::SliceSizes;

/// When the rest is taken up of a run that the rate limit, or the size of its batch, has stopped
pub(crate) const CONTINUATION_INTERVAL: Duration = Duration::from_mins(1);

/// Parents to recompute, by the rollup that writes to them
pub(crate) type RollupTargets = IdList<RollupId, Ids>;

/// How a run is to go about it
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunOptions {
    pub(crate) mixed_currency: MixedCurrency,
    /// Records a page of REST
    pub(crate) page_size: usize,
    /// Calls in flight at once
    pub(crate) concurrency: usize,
    /// Whether GraphQL may be used
    pub(crate) graphql: bool,
    /// Whether nothing is written
    pub(crate) dry: bool,
    /// Parents that a rebuild takes before it hands on
    pub(crate) parents_per_run: Option<usize>,
    /// Parents that are taken at a time
    pub(crate) sizes: SliceSizes,
    /// Fingerprint of the configuration
    pub(crate) fingerprint: u64,
}

impl RunOptions {
    pub(crate) fn new(config: &Config, concurrency: usize, sizes: SliceSizes, dry: bool) -> Self {
        Self {
            mixed_currency: config.mixed_currency,
            page_size: config.pacing.page_size(),
            concurrency,
            graphql: config.graphql,
            dry,
            parents_per_run: config.parents_per_run.and_then(|most| usize::try_from(most).ok()),
            sizes,
            fingerprint: config.fingerprint,
        }
    }
}
