//! What is kept of the last runs, and what it says of the totals.
//!
//! A platform may lose the result of a run, and under load some do. So what matters of a run is kept in the store, where
//! there is one, and a later call reads it back without a request to the workspace.

use std::time::Duration;

use ports::Timestamp;
use serde_json::{Map, Value as Json, json};

use crate::compiled::Skipped;
use crate::report::{Health, Mode, Problem, Report, Status};

/// A complete comparison is due every night; two hours more for one that waits for its turn
const MAX_COMPARISON_AGE: Duration = Duration::from_hours(26);

/// Definitions that a summary names; their number goes on
const MAX_SKIPPED: usize = 20;

/// What the store has kept
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) rebuild: Option<Json>,
    pub(crate) sweep: Option<Json>,
    /// The last run on events that did not end well
    pub(crate) events: Option<Json>,
    /// The last run that could not be handed to the queue
    pub(crate) hand_over: Option<Json>,
    /// End of the last complete comparison
    pub(crate) compared: Option<String>,
}

/// What matters of a run, for the store
///
/// `earlier` is what was kept of the run of its kind before it.
pub(crate) fn summary(report: &Report, at: Timestamp, earlier: Option<&Json>) -> Json {
    let at = at.to_string();
    let partial_since = matches!(report.status, Status::Partial | Status::Error).then(|| {
        let since = earlier.and_then(|earlier| earlier.get("partialSince")).and_then(Json::as_str);
        since.unwrap_or(&at).to_owned()
    });
    json!({
        "at": at,
        "status": report.status,
        "code": report.code,
        "message": report.message,
        "partialSince": partial_since,
        "continued": report.continued,
        "totals": report.totals,
        "skipped": report.skipped.iter().take(MAX_SKIPPED).collect::<Vec<_>>(),
        "skippedCount": report.skipped.len(),
        "drift": drift_counts(report),
        "requestId": report.request_id,
    })
}

/// The drift of a run in numbers: which records were wrong is no matter for a log or a store
pub(crate) fn drift_counts(report: &Report) -> Option<Json> {
    let drift = report.drift.as_ref()?;
    Some(json!({ "parents": drift.parents, "values": drift.values, "fields": drift.fields }))
}

/// Whether what a run came to is kept: runs over everything always, those on events where they did not end well
pub(crate) fn is_kept(report: &Report) -> bool {
    match (report.mode, report.status) {
        (None, _) | (_, Status::Noop) => false,
        (Some(Mode::FullRebuild | Mode::Sweep), _) => true,
        (Some(Mode::Targeted), status) => status != Status::Ok,
        _ => false,
    }
}

/// Judges what was kept
///
/// `paused`: whether there are no definitions; `built_in`: whether they are those of which a workspace need not have all
pub(crate) fn judge(kept: Kept, paused: bool, built_in: bool, now: Timestamp) -> Health {
    let Kept { rebuild, sweep, events, hand_over, compared } = kept;
    let mut problems = Vec::new();
    let mut problem = |code, message: String| problems.push(Problem { code, message });
    let compared_at = compared.as_deref().and_then(Timestamp::parse);
    if paused {
        problem("paused", "there are no definitions: nothing is computed".to_owned());
    } else if [&rebuild, &sweep, &events].iter().all(|run| run.is_none()) {
        let why = "no run has ended yet, or this server keeps nothing for apps: see the log of the function";
        problem("nothing_known", why.to_owned());
    } else if compared_at.is_none_or(|at| now.since(at) > MAX_COMPARISON_AGE) {
        let last = compared.as_deref().unwrap_or("never");
        problem("comparison_overdue", format!("the last complete comparison ended: {last}"));
    }
    for (name, run) in [("rebuild", &rebuild), ("sweep", &sweep)] {
        let Some(run) = run else { continue };
        let (status, code) = (text(run, "status"), text(run, "code"));
        let message = text(run, "message");
        match status {
            "error" => problem("run_failed", format!("the last {name} failed: {code}: {message}")),
            // A batch that is done is the schedule's way to go on.
            "partial" if code != "batch_done" && run.get("continued") != Some(&Json::Bool(true)) => {
                let since = text(run, "partialSince");
                let what = if message.is_empty() { "parents could not be put right" } else { message };
                problem("run_partial", format!("the last {name} did not finish: {what}; so since {since}"));
            }
            _ => {}
        }
        let values = run.get("drift").and_then(|drift| drift.get("values")).and_then(Json::as_u64).unwrap_or(0);
        if values > 0 {
            problem("drift_found", format!("the last {name} found {values} totals wrong"));
        }
    }
    let last = rebuild.as_ref().or(sweep.as_ref());
    let skipped = last.map_or(0, |run| skipped(run, built_in));
    if skipped > 0 {
        problem("definitions_skipped", format!("{skipped} definitions or totals were left out: see `skipped`"));
    }
    // A complete comparison has made up for what went wrong before it.
    let later = |run: &Json| Timestamp::parse(text(run, "at")).is_some_and(|at| compared_at.is_none_or(|end| at > end));
    if let Some(run) = events.as_ref().filter(|run| later(run)) {
        problem(
            "events_failed",
            format!("a run on events did not end well: {} {}", text(run, "code"), text(run, "message")),
        );
    }
    if let Some(run) = hand_over.as_ref().filter(|run| later(run)) {
        problem("hand_over_failed", format!("`{}` could not hand over: {}", text(run, "function"), text(run, "why")));
    }
    Health { problems, rebuild, sweep, events, hand_over, compared }
}

/// The report that carries it
pub(crate) fn report(health: Health) -> Report {
    let well = health.problems.is_empty();
    let messages: Vec<&str> = health.problems.iter().map(|problem| problem.message.as_str()).collect();
    Report {
        status: if well { Status::Ok } else { Status::Partial },
        mode: Some(Mode::Health),
        code: (!well).then(|| "unhealthy".to_owned()),
        message: (!well).then(|| messages.join("; ")),
        health: Some(health),
        ..Report::default()
    }
}

/// Definitions that were left out and should not have been
fn skipped(run: &Json, built_in: bool) -> u64 {
    let Some(list) = run.get("skipped").and_then(Json::as_array) else { return 0 };
    let expected = list.iter().filter(|entry| built_in && text(entry, "code") == Skipped::NOT_IN_WORKSPACE).count();
    let count = run.get("skippedCount").and_then(Json::as_u64).unwrap_or(0);
    count.saturating_sub(expected as u64)
}

fn text<'j>(object: &'j Json, key: &str) -> &'j str {
    object.as_object().and_then(|object: &Map<String, Json>| object.get(key)).and_then(Json::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-30T12:00:00Z").unwrap()
    }

    fn codes(kept: Kept) -> Vec<&'static str> {
        judge(kept, false, true, now()).problems.iter().map(|problem| problem.code).collect()
    }

    fn good() -> Json {
        json!({ "at": "2026-11-30T02:01:00.000Z", "status": "ok", "drift": { "values": 0 }, "skipped": [], "skippedCount": 0 })
    }

    fn kept() -> Kept {
        Kept { rebuild: Some(good()), compared: Some("2026-11-30T02:01:00.000Z".into()), ..Kept::default() }
    }

    #[test]
    fn nothing_to_look_at() {
        assert_eq!(codes(kept()), Vec::<&str>::new());
        let missing = json!([{ "definition": 1, "code": "not_in_workspace" }]);
        let mut few = kept();
        few.rebuild = Some(json!({ "status": "ok", "skipped": missing, "skippedCount": 1 }));
        assert_eq!(codes(few.clone()), Vec::<&str>::new());
        assert_eq!(judge(few, false, false, now()).problems[0].code, "definitions_skipped");
    }

    #[test]
    fn each_problem_has_its_code() {
        let with = |change: &dyn Fn(&mut Kept)| {
            let mut changed = kept();
            change(&mut changed);
            codes(changed)
        };
        assert_eq!(codes(Kept::default()), ["nothing_known"]);
        assert_eq!(with(&|kept| kept.compared = Some("2026-11-29T09:59:00Z".into())), ["comparison_overdue"]);
        assert_eq!(with(&|kept| kept.compared = None), ["comparison_overdue"]);
        assert_eq!(with(&|kept| kept.rebuild = Some(json!({ "status": "error", "code": "x" }))), ["run_failed"]);
        assert_eq!(with(&|kept| kept.sweep = Some(json!({ "status": "partial", "code": null }))), ["run_partial"]);
        for fine in
            [json!({ "status": "partial", "continued": true }), json!({ "status": "partial", "code": "batch_done" })]
        {
            assert_eq!(with(&|kept| kept.sweep = Some(fine.clone())), Vec::<&str>::new());
        }
        assert_eq!(
            with(&|kept| kept.sweep = Some(json!({ "status": "ok", "drift": { "values": 3 } }))),
            ["drift_found"]
        );
        let forbidden = json!({ "status": "ok", "skipped": [{ "code": "forbidden" }], "skippedCount": 1 });
        assert_eq!(with(&|kept| kept.rebuild = Some(forbidden.clone())), ["definitions_skipped"]);
        for (at, events, hand_over) in [
            ("2026-11-30T02:02:00Z", vec!["events_failed"], vec!["hand_over_failed"]),
            ("2026-11-30T02:00:00Z", vec![], vec![]),
        ] {
            assert_eq!(with(&|kept| kept.events = Some(json!({ "at": at }))), events);
            assert_eq!(with(&|kept| kept.hand_over = Some(json!({ "at": at }))), hand_over);
        }
        assert_eq!(judge(kept(), true, true, now()).problems[0].code, "paused");
    }

    #[test]
    fn partial_since_the_first_of_them() {
        let partial = Report { status: Status::Partial, ..Report::default() };
        let first = summary(&partial, now(), Some(&good()));
        assert_eq!(first["partialSince"], now().to_string());
        let later = now() + Duration::from_mins(15);
        assert_eq!(summary(&partial, later, Some(&first))["partialSince"], now().to_string());
        assert_eq!(summary(&Report::default(), later, Some(&first))["partialSince"], Json::Null);
    }
}
