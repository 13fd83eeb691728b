//! What is known of the workspace, and the way to ask for more of it.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use ports::Timestamp;
use twenty::page::Page;

use super::options::RunOptions;
use super::outcome::Outcome;
use crate::compiled::{CompiledRollups, PathKind};
use crate::host::RollupClient;
use crate::ids::{IdList, SourceId};

/// What is known of the fields of an object
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Whether the names are proven: GraphQL answers an unknown one with null
    pub(super) proven: bool,
    /// Kind of value by place
    pub(super) kinds: Vec<Option<PathKind>>,
    /// Records as they were last counted
    pub(super) count: Option<u64>,
    /// The first page, read to see what is there, until a scan takes it up
    pub(super) first_page: Option<(Page, Timestamp)>,
}

/// Reads records, by GraphQL where it serves
pub(crate) struct Reader<'a> {
    pub(super) client: &'a RollupClient<'a>,
    pub(super) compiled: &'a CompiledRollups,
    pub(super) options: RunOptions,
    pub(super) outcome: &'a Outcome<'a>,
    /// Whether the server has GraphQL, as far as is known
    pub(super) graphql: Cell<bool>,
    pub(super) known: IdList<SourceId, RefCell<Known>>,
    /// When the run began, by our clock
    began: Timestamp,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(outcome: &'a Outcome<'a>) -> Self {
        let Outcome { client, compiled, options, .. } = *outcome;
        let known = compiled.sources.iter().map(|source| {
            let kinds = source.kinds.clone();
            RefCell::new(Known { proven: !kinds.is_empty(), kinds, count: None, first_page: None })
        });
        Self {
            client,
            compiled,
            options,
            outcome,
            graphql: Cell::new(options.graphql),
            known: known.collect(),
            began: client.host().now(),
        }
    }

    /// What happened in Twenty at this time of ours or later has a later time there: by the server's clock where it
    /// tells it, as ours may be off
    pub(super) fn server_time(&self, at: Timestamp) -> Timestamp {
        match self.client.server_time(at) {
            Some(server) => server - Duration::from_secs(2),
            None => at - Duration::from_mins(1),
        }
    }

    /// What happens in Twenty from here on happens in this run
    pub(crate) fn since(&self) -> Timestamp {
        self.server_time(self.began)
    }
}
