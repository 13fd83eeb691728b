//! From a payload to a report: the whole of one call of the function.

use std::time::Duration;

use serde_json::Value as Json;
use twenty::client::Client;
use twenty::error::ApiError;
use twenty::gate::Priority;
use twenty::gather::insert_in_order;
use twenty::schema::{Object, Schema};
use twenty::time::whole_millis;
use twenty::{Event, Host, Level, Timestamp};

use crate::calendar::Calendar;
use crate::definitions::Definition;
use crate::environment::{Environment, Variables};
use crate::program::{Program, ProvenBy};
use crate::pure::unknown_zone;
use crate::report::{Mode, Report, Status};
use crate::run::{Run, Stop};
use crate::trigger::{Ids, Targets, Trigger};

/// Requests that an event run may open with: it shares the minute with whoever caused the event
const EVENT_BURST: u32 = 10;

/// Time kept back from the limit of the function, for the answer to be handed over
const MARGIN: Duration = Duration::from_secs(10);

/// What a run is given besides its payload
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Environment variables; those of [`crate::environment::NAMES`] are read
    pub environment: Variables,
    /// Spreads the waiting of runs that are refused together
    pub seed: u64,
    /// How long the run may take before it is killed; without end if absent
    pub time_limit: Option<Duration>,
}

/// Recomputes what the payload asks for. Whatever goes wrong is told in the report.
pub async fn calculate_rollups<H: Host>(host: &H, payload: &Json, options: &Options) -> Report {
    let began = host.now();
    let mut report = match prepare(host, payload, options, began) {
        Ok(Some(work)) => carry_out(host, work).await,
        Ok(None) => Report { status: Status::Noop, mode: Some(Mode::Targeted), ..Report::default() },
        Err(report) => *report,
    };
    report.took_ms = whole_millis(host.now().since(began));
    log_end(host, &report);
    report
}

/// What is to be done, with everything checked that needs no request
struct Work {
    environment: Environment,
    calendar: Calendar,
    /// By number of the definition; nothing for everything
    targets: Option<Targets>,
    deadline: Option<Timestamp>,
    seed: u64,
}

/// Nothing, if there is nothing to do
fn prepare<H: Host>(host: &H, payload: &Json, options: &Options, now: Timestamp) -> Result<Option<Work>, Box<Report>> {
    let environment =
        Environment::read(&options.environment).map_err(|error| Box::new(Report::error(error.code(), &error)))?;
    let trigger = Trigger::read(payload).map_err(|fault| Box::new(Report::error("unknown_payload", &fault)))?;
    let config = &environment.config;
    let calendar = Calendar::in_zone(host, &config.time_zone, now, config.fiscal_year_start_month)
        .ok_or_else(|| Box::new(Report::error("invalid_config", &unknown_zone(&config.time_zone))))?;
    let targets = trigger.targets(&config.definitions);
    if targets.as_ref().is_some_and(|targets| targets.iter().all(Ids::is_empty)) {
        return Ok(None);
    }
    let deadline = options.time_limit.map(|limit| now + limit.saturating_sub(MARGIN).max(limit / 2));
    Ok(Some(Work { calendar, targets, deadline, seed: options.seed, environment }))
}

async fn carry_out<H: Host>(host: &H, work: Work) -> Report {
    let Work { environment, calendar, targets, deadline, seed } = work;
    let config = &environment.config;
    let mode = if targets.is_some() { Mode::Targeted } else { Mode::FullRebuild };
    let most_burst = if targets.is_some() { EVENT_BURST } else { u32::MAX };
    let pace = config.pacing.pace(environment.requests_per_minute, most_burst);
    let client = Client::new(host, environment.connection.clone(), pace, Priority::Job, deadline, seed);

    let schema = match read_schema(&client).await {
        Ok(schema) => schema,
        Err(error) => {
            return stopped(&Stop::of_error(error), Report { mode: Some(mode), ..Report::default() }, &client);
        }
    };
    let proven_by = schema.as_ref().map_or(ProvenBy::Names(&config.objects), ProvenBy::Metadata);
    let program = Program::new(&config.definitions, &proven_by, &calendar);
    let concurrency = usize::try_from(pace.concurrency).unwrap_or(1);
    let run = Run::new(&client, &program, &calendar, config.mixed_currency, config.pacing.page_size(), concurrency);
    let end = if program.rollups.is_empty() {
        Ok(())
    } else {
        match targets {
            None => run.rebuild().await,
            Some(targets) => run.recompute(by_rollup(&program, targets)).await,
        }
    };
    let report = assemble(mode, run, &program, &config.definitions);
    match end {
        Ok(()) => Report { requests: client.ledger(), ..report },
        Err(stop) => stopped(&stop, report, &client),
    }
}

fn assemble<H: Host>(mode: Mode, run: Run<'_, H>, program: &Program, definitions: &[Definition]) -> Report {
    let record = run.into_record();
    let mut skipped = Vec::new();
    for entry in program.skipped.iter().cloned().chain(record.skipped(program)) {
        insert_in_order(&mut skipped, entry);
    }
    let mut report = Report {
        status: if record.totals.failed > 0 || record.incomplete { Status::Partial } else { Status::Ok },
        mode: Some(mode),
        details: record.details(program, definitions),
        totals: record.totals,
        skipped,
        ..Report::default()
    };
    let dropped = record.all_dropped();
    if program.rollups.is_empty() {
        report.status = Status::Error;
        report.code = Some("nothing_to_run".to_owned());
        report.message = Some("no definition fits this workspace, see `skipped`".to_owned());
    } else if let Some((code, message)) = dropped {
        report.status = Status::Error;
        report.code = Some(code);
        report.message = Some(message);
    }
    report.mixed_currency = record.mixtures;
    report.failures = record.failures;
    report.notes = record.notes;
    report
}

fn stopped<H: Host>(stop: &Stop, mut report: Report, client: &Client<&H>) -> Report {
    report.requests = client.ledger();
    match stop {
        Stop::OutOfTime => {
            report.status = Status::Partial;
            report.code = Some("out_of_time".to_owned());
            report.message = Some("the time of this run was used up; what is written is right".to_owned());
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
async fn read_schema<H: Host>(client: &Client<&H>) -> Result<Option<Schema>, ApiError> {
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
                client.host().log(
                    Event::new(Level::Warn, "metadata_unreadable")
                        .with("code", error.code())
                        .with("message", error.to_string()),
                );
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Targets by the index of the rollup; definitions that do not run fall away
fn by_rollup(program: &Program, mut targets: Targets) -> Targets {
    let of = |number: usize| targets.get_mut(number).map(std::mem::take).unwrap_or_default();
    program.rollups.iter().map(|rollup| rollup.number).map(of).collect()
}

fn log_end<H: Host>(host: &H, report: &Report) {
    let level = if report.status == Status::Error { Level::Error } else { Level::Info };
    let mut event = Event::new(level, "rollups_calculated")
        .with("status", report.status.as_str())
        .with("tookMs", report.took_ms)
        .with("processed", report.totals.processed)
        .with("updated", report.totals.updated)
        .with("failed", report.totals.failed)
        .with("requests", report.requests.total)
        .with("throttled", report.requests.throttled);
    if let Some(message) = &report.message {
        event = event.with("message", message.as_str());
    }
    host.log(event);
}
