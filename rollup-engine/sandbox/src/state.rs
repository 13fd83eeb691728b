//! A sandbox as it stands: its workspaces, who may call, what is left of their limits, what was asked so far.

use ports::{Request, Timestamp};

use crate::api_error::ApiError;
use crate::event_log::RecordEvent;
use crate::fault_rules::FaultRules;
use crate::limiter::{Limit, Limiter, Limits, Spender};
use crate::profile::Profile;
use crate::standard;
use crate::tokens::{Caller, TokenBook, Tokens};
use crate::usage::Usage;
use crate::webhook::Delivery;
use crate::workspace::Workspace;

/// How a sandbox is set up
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which Twenty is imitated
    pub profile: Profile,
    /// Rate limits of the workspaces
    pub limits: Limits,
    /// Seed of all made-up ids and tokens
    pub seed: u64,
}

/// A Twenty in memory, with two workspaces
#[derive(Clone, Debug)]
pub struct Sandbox {
    settings: Settings,
    pub(crate) main: Workspace,
    second: Workspace,
    tokens: TokenBook,
    limiters: [Limiter; 2],
    app_limiter: Limiter,
    pub(crate) usage: Usage,
    pub(crate) fault_rules: FaultRules,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Sandbox {
    /// A sandbox with empty workspaces
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { profile, limits, seed } = settings;
        let limiter = || Limiter::new(profile, Spender::ApiKey, limits);
        let app_limits =
            Limits { short: None, long: limits.long.map(|limit| Limit { tokens: 500, per_ms: limit.per_ms }) };
        Self {
            settings,
            main: standard::new_workspace(profile, false, seed),
            second: standard::new_workspace(profile, true, seed.wrapping_add(1)),
            tokens: TokenBook::new(seed),
            limiters: [limiter(), limiter()],
            app_limiter: Limiter::new(profile, Spender::Application, app_limits),
            usage: Usage::default(),
            fault_rules: FaultRules::new(seed),
        }
    }

    /// How it was set up
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// The keys that it knows from the start
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens.named
    }

    /// A token that counts as an app's: not limited in v1, 500 a minute in v2
    pub fn mint_app_token(&mut self) -> String {
        self.tokens.mint_app()
    }

    /// What was asked of it since the last reset
    #[must_use]
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Starts counting anew.
    pub fn reset_usage(&mut self) {
        self.usage = Usage::default();
    }

    /// Takes the record events of the main workspace that nobody has taken yet.
    pub fn drain_events(&mut self) -> Vec<RecordEvent> {
        self.main.events.drain()
    }

    /// Number of the last record event
    #[must_use]
    pub fn last_event(&self) -> u64 {
        self.main.events.last()
    }

    /// Takes the webhook calls that are to be made.
    pub fn drain_deliveries(&mut self) -> Vec<Delivery> {
        let mut deliveries = std::mem::take(&mut self.main.outbox);
        deliveries.append(&mut self.second.outbox);
        deliveries
    }

    pub(crate) fn count_refused(&mut self) {
        self.usage.refused += 1;
    }

    pub(crate) fn caller(&self, request: &Request) -> Result<Option<Caller>, ApiError> {
        self.tokens.caller(request)
    }

    pub(crate) fn workspace(&mut self, caller: &Caller) -> &mut Workspace {
        if caller.workspace == 0 { &mut self.main } else { &mut self.second }
    }

    /// Takes one token from the caller's buckets, or refuses.
    pub(crate) fn charge(&mut self, caller: &Caller, now: Timestamp) -> Result<(), ApiError> {
        let limiter = match (caller.spender, self.settings.profile) {
            (Spender::Application, Profile::V1) => None,
            (Spender::Application, Profile::V2) => Some(&mut self.app_limiter),
            (Spender::ApiKey, _) => self.limiters.get_mut(caller.workspace),
        };
        if let Some(limiter) = limiter {
            limiter.charge(now.as_millis())?;
        }
        self.usage.tokens += 1;
        Ok(())
    }
}
