//! From a payload to a report: the whole of one call of the function.

use std::collections::BTreeSet;
use std::time::Duration;

use ports::time::whole_millis;
use ports::{Event, Level, Timestamp};
use serde_json::Value as Json;
use twenty::client::Client;
use twenty::error::ApiError;
use twenty::rate_limiter::Priority;
use twenty::rate_limiter::RateLimit;
use twenty::schema::{Object, Schema};

use crate::calendar::Calendar;
use crate::checkpoint::{Checkpoint, Remaining};
use crate::compiled::{CompiledRollups, ProvenBy, Skipped};
use crate::definitions::Definition;
use crate::environment::{Environment, Variables};
use crate::health;
use crate::host::{RollupClient, RollupHost};
use crate::ids::{Ids, Targets};
use crate::persistent_state::PersistentState;
use crate::pure::unknown_zone;
use crate::report::{Mode, Report, Status};
use crate::request_id::WithRequestId;
use crate::run::Run;
use crate::run::options::{CONTINUATION_INTERVAL, RollupTargets, RunOptions};
use crate::run::outcome::Outcome;
use crate::run::reader::Reader;
use crate::run::stop::Stop;
use crate::sizes::SliceSizes;
use crate::trigger::Trigger;

/// Requests that an event run may open with: it shares the minute with the user who caused the event
const MAX_EVENT_BURST: u32 = 10;

/// Code of a run whose definitions name what the workspace does not have
const NOTHING_TO_RUN: &str = "nothing_to_run";

/// Code of a run that took the batch of parents that one run takes
const BATCH_DONE: &str = "batch_done";

/// Definitions left out that the last line of a run names
const MAX_LOGGED_SKIPPED: usize = 20;

/// Time kept back from the limit of the function, for the answer to be handed over
const ANSWER_MARGIN: Duration = Duration::from_secs(10);

/// What a run is given besides its payload
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Environment variables; those of [`crate::environment::NAMES`] are read
    pub environment: Variables,
    /// Spreads the waiting of runs that are refused together
    pub seed: u64,
    /// How long the run may take before it is killed; without end if absent
    pub time_limit: Option<Duration>,
    /// How many parents a rebuild takes at a time
    pub sizes: SliceSizes,
    /// The definitions to run, by number, with those whose totals they read; all of them if absent
    pub only: Option<Vec<usize>>,
}

/// How long a run without a time limit keeps others away
const DEFAULT_LEASE: Duration = Duration::from_mins(15);

/// Refusals for the rate limit after which an event run leaves the rest to a run that is to follow
const MAX_EVENT_THROTTLES: u64 = 2;

/// When a run goes on that had no time left
const OUT_OF_TIME_INTERVAL: Duration = Duration::from_secs(5);

/// How far back a first sweep looks, or one that has no store to remember the last
const SWEEP_LOOKBACK: Duration = Duration::from_hours(1);

/// How long before an event the records may have been merged that it tells of
const MERGE_LOOKBACK: Duration = Duration::from_mins(2);

/// Recomputes what the payload asks for. Whatever goes wrong is told in the report.
pub async fn calculate_rollups(host: &dyn RollupHost, payload: &Json, options: &Options) -> Report {
    let requested = WithRequestId::new(host, payload);
    let host: &dyn RollupHost = &requested;
    let began = host.now();
    let mut report = match prepare(host, payload, options, began) {
        Ok(Some(work)) if work.mode() == Mode::Health => look_back(host, &work).await,
        Ok(Some(work)) => run_exclusively(host, work).await,
        Ok(None) => Report { status: Status::Noop, mode: Some(Mode::Targeted), ..Report::default() },
        Err(report) => *report,
    };
    report.took_ms = whole_millis(host.now().since(began));
    report.request_id = requested.id();
    // The log first: it needs no answer.
    log_end(host, &report);
    if health::is_kept(&report) && options.only.is_none() {
        PersistentState::new(host, options.seed).keep(&report).await;
    }
    report
}

/// What the last runs have left, without a request to the workspace
async fn look_back(host: &dyn RollupHost, work: &Work) -> Report {
    let config = &work.environment.config;
    let kept = PersistentState::new(host, work.seed).kept().await;
    health::report(health::judge(kept, config.definitions.is_empty(), config.built_in, host.now()))
}

/// What is to be done, with everything checked that needs no request
struct Work {
    environment: Environment,
    calendar: Calendar,
    trigger: Trigger,
    /// By number of the definition; nothing for everything
    targets: Option<Targets>,
    deadline: Option<Timestamp>,
    seed: u64,
    time_limit: Option<Duration>,
    sizes: SliceSizes,
    only: Option<Vec<usize>>,
}

impl Work {
    fn mode(&self) -> Mode {
        match &self.trigger {
            Trigger::Sweep => Mode::Sweep,
            Trigger::Plan => Mode::Plan,
            Trigger::DryRun | Trigger::Parents { dry: true, .. } => Mode::DryRun,
            Trigger::Explain { .. } => Mode::Explain,
            Trigger::Health => Mode::Health,
            _ if self.targets.is_some() => Mode::Targeted,
            _ => Mode::FullRebuild,
        }
    }

    /// Whether it puts right whatever is wrong, of all definitions
    fn covers_everything(&self) -> bool {
        self.mode().covers_everything() && self.only.is_none()
    }
}

/// The report of a run without definitions, by which an installed engine is paused
fn paused() -> Report {
    Report {
        status: Status::Noop,
        code: Some("paused".to_owned()),
        message: Some("there are no definitions: nothing is computed".to_owned()),
        ..Report::default()
    }
}

/// Nothing, if there is nothing to do; the report, where it ends before it began
fn prepare(
    host: &dyn RollupHost,
    payload: &Json,
    options: &Options,
    now: Timestamp,
) -> Result<Option<Work>, Box<Report>> {
    let mut environment =
        Environment::read(&options.environment).map_err(|error| Box::new(Report::error(error.code(), &error)))?;
    if let Some(only) = &options.only {
        let count = environment.config.definitions.len();
        if let Some(number) = only.iter().find(|number| **number >= count) {
            let message = format!("`only` names definition {number}, and there are {count}, numbered from 0");
            return Err(Box::new(Report::error("invalid_options", &message)));
        }
        environment.config.choose(only);
    }
    let trigger = Trigger::read(payload).map_err(|fault| Box::new(Report::error("unknown_payload", &fault)))?;
    let config = &environment.config;
    let calendar = Calendar::in_zone(host, &config.time_zone, now, config.fiscal_year_start_month)
        .ok_or_else(|| Box::new(Report::error("invalid_config", &unknown_zone(&config.time_zone))))?;
    let targets = match trigger {
        Trigger::Health => None,
        _ if config.definitions.is_empty() => return Err(Box::new(paused())),
        _ => trigger.targets(&config.definitions),
    };
    let no_parents = targets.as_ref().is_some_and(|targets| targets.iter().all(Ids::is_empty));
    if no_parents && !trigger.may_be_a_merge(&config.definitions) {
        return Ok(None);
    }
    let time_limit = options.time_limit;
    let deadline = time_limit.map(|limit| now + limit.saturating_sub(ANSWER_MARGIN).max(limit / 2));
    Ok(Some(Work {
        calendar,
        trigger,
        targets,
        deadline,
        seed: options.seed,
        time_limit,
        sizes: options.sizes,
        only: options.only.clone(),
        environment,
    }))
}

/// Keeps runs over everything apart, and remembers for the next one.
async fn run_exclusively(host: &dyn RollupHost, work: Work) -> Report {
    let mode = work.mode();
    let state = PersistentState::new(host, work.seed ^ host.now().as_millis().unsigned_abs());
    if !mode.covers_everything() {
        let from = if let Trigger::Continuation(checkpoint) = &work.trigger { Some(checkpoint) } else { None };
        return run(host, &state, &work, from).await;
    }
    if !state.acquire_lease(work.time_limit.unwrap_or(DEFAULT_LEASE)).await {
        let message = "another run over everything is at work, and sees what this one would have seen";
        return Report {
            status: Status::Noop,
            mode: Some(mode),
            code: Some("another_run".to_owned()),
            message: Some(message.to_owned()),
            ..Report::default()
        };
    }
    let from = match &work.trigger {
        Trigger::Continuation(checkpoint) => {
            Some(checkpoint.clone()).filter(|from| from.config == work.environment.config.fingerprint)
        }
        _ => state.checkpoint(work.environment.config.fingerprint).await,
    };
    let report = run(host, &state, &work, from.as_ref()).await;
    state.release_lease().await;
    report
}

async fn run(host: &dyn RollupHost, state: &PersistentState<'_>, work: &Work, from: Option<&Checkpoint>) -> Report {
    let (mode, config) = (work.mode(), &work.environment.config);
    let per_minute = work.environment.requests_per_minute;
    let remembered = state.allowance(per_minute).await.unwrap_or(u32::MAX);
    let max_burst = if mode == Mode::Targeted { MAX_EVENT_BURST.min(remembered) } else { remembered };
    let limit = config.pacing.rate_limit(per_minute, max_burst.max(1));
    let client = Client::new(host, work.environment.connection.clone(), limit, Priority::Job, work.deadline, work.seed);

    let schema = match read_schema(&client).await {
        Ok(schema) => schema,
        Err(error) => {
            return stopped(&Stop::of_error(error), Report { mode: Some(mode), ..Report::default() }, &client);
        }
    };
    let proven_by = schema.as_ref().map_or(ProvenBy::Names(&config.objects), ProvenBy::Metadata);
    let compiled = CompiledRollups::chosen(&config.definitions, work.only.as_deref(), &proven_by, &work.calendar);
    let concurrency = usize::try_from(limit.concurrency).unwrap_or(1);
    let options = RunOptions::new(config, concurrency, work.sizes, matches!(mode, Mode::DryRun | Mode::Explain));
    let outcome = Outcome::new(&client, &compiled, options);
    let reader = Reader::new(&outcome);
    outcome.notes_absent.set(matches!(work.trigger, Trigger::Parents { object: Some(_), .. }));
    let run = Run::new(&reader, &work.calendar);
    let end = if compiled.rollups.is_empty() { Ok(()) } else { run_trigger(&run, state, work, from, limit).await };

    // No progress: keep the incoming checkpoint.
    let checkpoint = if end.is_err() { outcome.checkpoint().or_else(|| from.cloned()) } else { None };
    let (since, continued) = (reader.since(), outcome.continued());
    let mut report = assemble(mode, outcome, &compiled, &config.definitions);
    if report.status == Status::Ok && nothing_concerned_ran(work, &compiled, &report) {
        // Of the built-in definitions a workspace need not have all; a team's own are meant to run.
        report.status = if config.built_in { Status::Noop } else { Status::Error };
        report.code = Some(NOTHING_TO_RUN.to_owned());
        report.message = Some("the definitions concerned do not fit this workspace, see `skipped`".to_owned());
    }
    match end {
        Ok(()) => report.requests = client.stats(),
        Err(stop) => report = stopped(&stop, report, &client),
    }
    if !matches!(mode, Mode::Plan | Mode::Explain) {
        state.set_allowance(client.allowance()).await;
    }
    if let Some(drift) = &mut report.drift
        && drift.values > 0
    {
        drift.since = state.last_comparison().await;
    }
    if work.covers_everything() && report.status == Status::Ok {
        state.set_checkpoint(None).await;
        state.set_last_sweep(since).await;
        state.set_last_comparison(host.now()).await;
    }
    if report.status == Status::Partial
        && let Some(checkpoint) = checkpoint
    {
        let no_progress = from == Some(&checkpoint) && report.totals.updated == 0;
        report.continued = continued;
        if work.only.is_some() {
            // A run that follows by itself would not know which definitions it is to keep to.
            report.checkpoint = Some(checkpoint.to_json());
        } else {
            schedule_continuation(host, state, &mut report, &checkpoint, no_progress).await;
        }
    }
    report
}

/// Whether parents were named, and all definitions that write to them were left out, be it on the way
fn nothing_concerned_ran(work: &Work, compiled: &CompiledRollups, report: &Report) -> bool {
    let Some(targets) = &work.targets else { return false };
    let left_out = |number: usize| {
        report.skipped.iter().any(|skipped| skipped.definition == number && skipped.aggregation.is_none())
    };
    let ran = |number: usize| compiled.rollups.iter().any(|rollup| rollup.number == number) && !left_out(number);
    let concerned = || targets.iter().enumerate().filter(|(_, ids)| !ids.is_empty()).map(|(number, _)| number);
    concerned().next().is_some() && !concerned().any(ran)
}

/// Does what the trigger asks for.
async fn run_trigger(
    run: &Run<'_>,
    state: &PersistentState<'_>,
    work: &Work,
    from: Option<&Checkpoint>,
    limit: RateLimit,
) -> Result<(), Stop> {
    match (&work.trigger, &work.targets) {
        (Trigger::Plan, _) => run.plan(limit).await,
        (Trigger::Explain { object, id }, _) => run.explain(object, *id).await,
        (Trigger::Sweep, _) if from.is_none() => {
            let back = run.since() - SWEEP_LOOKBACK;
            run.sweep(limit, state.last_sweep().await.unwrap_or(back)).await
        }
        (trigger, Some(targets)) => {
            let targets = by_rollup(run.compiled(), targets.clone());
            if from.is_some() {
                // What was handed on once waits for its turn: it must not hand itself on for ever.
                return run.recompute(targets).await;
            }
            run.recompute_or_continue_later(targets, MAX_EVENT_THROTTLES).await?;
            if trigger.may_be_a_merge(&work.environment.config.definitions) {
                let moved = run.changed_since(&run.children_of_all(), run.since() - MERGE_LOOKBACK).await?;
                run.recompute(moved).await?;
            }
            Ok(())
        }
        (_, None) => run.rebuild(limit, from.map(|from| &from.remaining)).await,
    }
}

/// Sees to it that what is left over is done: by a run that follows by itself, else by the next one, which finds the
/// checkpoint in the store.
async fn schedule_continuation(
    host: &dyn RollupHost,
    state: &PersistentState<'_>,
    report: &mut Report,
    checkpoint: &Checkpoint,
    no_progress: bool,
) {
    report.checkpoint = Some(checkpoint.to_json());
    let by_batches = report.code.as_deref() == Some(BATCH_DONE);
    let whole = matches!(checkpoint.remaining, Remaining::After { .. });
    let kept = whole && state.set_checkpoint(report.checkpoint.as_ref()).await;
    // A schedule of batches ticks by itself; a run that comes no further than the one before would go on for ever.
    if report.continued || (by_batches && kept) || no_progress {
        return;
    }
    let delay = if by_batches { CONTINUATION_INTERVAL } else { OUT_OF_TIME_INTERVAL };
    report.continued = host.enqueue(&checkpoint.to_payload(), delay).await;
}

fn assemble(mode: Mode, outcome: Outcome<'_>, compiled: &CompiledRollups, definitions: &[Definition]) -> Report {
    let record = outcome.into_record();
    let skipped: BTreeSet<_> = compiled.skipped.iter().cloned().chain(record.skipped(compiled)).collect();
    let mut report = Report {
        status: if record.totals.failed > 0 || record.incomplete { Status::Partial } else { Status::Ok },
        mode: Some(mode),
        details: record.details(compiled, definitions),
        totals: record.totals,
        skipped: skipped.into_iter().collect(),
        ..Report::default()
    };
    let dropped = record.all_dropped();
    if report.skipped.iter().any(|entry| entry.code == Skipped::INVALID_VALUE) {
        report.status = Status::Partial;
        report.code = Some(Skipped::INVALID_VALUE.to_owned());
        report.message =
            Some("a definition compares a field with a value that it cannot have, see `skipped`".to_owned());
    }
    if compiled.rollups.is_empty() {
        report.status = Status::Error;
        report.code = Some(NOTHING_TO_RUN.to_owned());
        report.message = Some("no definition fits this workspace, see `skipped`".to_owned());
    } else if let Some((code, message)) = dropped {
        report.status = Status::Error;
        report.code = Some(code);
        report.message = Some(message);
    }
    report.mixed_currency = record.mixtures;
    report.failures = record.failures;
    report.notes = record.notes;
    report.plan = record.plan;
    report.explanation = record.explanation;
    report.drift = (mode.covers_everything() || mode == Mode::DryRun).then_some(record.drift);
    report
}

fn stopped(stop: &Stop, mut report: Report, client: &RollupClient<'_>) -> Report {
    report.requests = client.stats();
    match stop {
        Stop::OutOfTime => {
            report.status = Status::Partial;
            report.code = Some("out_of_time".to_owned());
            report.message = Some("the time of this run was used up; what is written is right".to_owned());
        }
        Stop::BatchDone => {
            report.status = Status::Partial;
            report.code = Some(BATCH_DONE.to_owned());
            report.message =
                Some("the batch of parents of this run is done; the next run takes the next one".to_owned());
        }
        Stop::Failed(error) => {
            report.status = Status::Error;
            report.code = Some(error.code().to_owned());
            report.message = Some(error.to_string());
        }
    }
    report
}

/// The workspace's objects; nothing if the token may not read them
async fn read_schema(client: &RollupClient<'_>) -> Result<Option<Schema>, ApiError> {
    let mut objects: Vec<Object> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        match client.objects(after.as_deref()).await {
            Ok(page) => {
                objects.extend(page.objects);
                match page.next {
                    Some(next) if Some(&next) != after.as_ref() => after = Some(next),
                    _ => return Ok(Some(Schema::new(objects))),
                }
            }
            Err(error @ (ApiError::Forbidden { .. } | ApiError::NotFound { .. } | ApiError::Refused { .. })) => {
                // A role without that right is the usual case for an app, and costs nothing.
                client.host().log(
                    Event::new(Level::Info, "metadata_refused")
                        .with("code", error.code())
                        .with("message", error.to_string()),
                );
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Targets by the rollup; definitions that do not run fall away
fn by_rollup(compiled: &CompiledRollups, mut targets: Targets) -> RollupTargets {
    let of = |number: usize| targets.get_mut(number).map(std::mem::take).unwrap_or_default();
    compiled.rollups.iter().map(|rollup| rollup.number).map(of).collect()
}

fn log_end(host: &dyn RollupHost, report: &Report) {
    let level = if report.status == Status::Error { Level::Error } else { Level::Info };
    let mut event = Event::new(level, "rollups_calculated")
        .with("status", report.status.as_str())
        .with("mode", report.mode.map_or(Json::Null, |mode| mode.as_str().into()))
        .with("code", report.code.as_deref().map_or(Json::Null, Json::from))
        .with("tookMs", report.took_ms)
        .with("processed", report.totals.processed)
        .with("updated", report.totals.updated)
        .with("failed", report.totals.failed)
        .with("requests", report.requests.total)
        .with("throttled", report.requests.throttled)
        .with("continued", report.continued);
    // The platform may lose the report: what matters of it stands here as well.
    if let Some(drift) = health::drift_counts(report) {
        event = event.with("drift", drift);
    }
    if !report.skipped.is_empty() {
        let skipped = report.skipped.iter().take(MAX_LOGGED_SKIPPED);
        event = event.with("skipped", serde_json::to_value(skipped.collect::<Vec<_>>()).unwrap_or_default());
    }
    if let Some(message) = &report.message {
        event = event.with("message", message.as_str());
    }
    host.log(event);
}
