//! What the process counts, as Prometheus reads it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt::Write as _;

use serde_json::Value;
use uuid::Uuid;

use fundraising::staging::State;

/// Most staged rows whose state is remembered
const MAX_ROWS: usize = 2_000;

/// Counts since the process began
#[derive(Debug, Default)]
pub struct Metrics {
    counters: RefCell<Vec<Counter>>,
    /// Staged rows with the state they were last seen in, the longest known first
    rows: RefCell<VecDeque<(Uuid, &'static str)>>,
}

#[derive(Debug)]
struct Counter {
    name: &'static str,
    method: &'static str,
    /// A route of this service, the records of Twenty that were called, or a warning
    target: String,
    /// `status`
    status: u16,
    count: u64,
}

impl Metrics {
    /// Notes an answer of this service.
    pub fn count_answer(&self, method: &'static str, pattern: &str, status: u16) {
        self.add("fundraising_requests_total", method, pattern, status);
        if status >= 400 {
            self.add("fundraising_refusals_total", method, pattern, status);
        }
    }

    /// Notes an answer of Twenty; status 0 is none.
    pub fn count_call(&self, method: &'static str, object: &str, status: u16) {
        self.add("fundraising_upstream_calls_total", method, object, status);
    }

    /// Notes a doubt about a gift that was made all the same.
    pub fn count_warning(&self, warning: &'static str) {
        self.add("fundraising_gift_warnings_total", "", warning, 0);
    }

    fn add(&self, name: &'static str, method: &'static str, target: &str, status: u16) {
        let mut counters = self.counters.borrow_mut();
        let known = counters.iter_mut().find(|counter| {
            counter.status == status && counter.name == name && counter.method == method && counter.target == target
        });
        match known {
            Some(counter) => counter.count += 1,
            None => counters.push(Counter { name, method, target: target.to_owned(), status, count: 1 }),
        }
    }

    /// Notes the states of the staged rows in an answer of Twenty.
    pub fn count_staged_gifts(&self, answer: &Value) {
        for value in answer.get("data").and_then(Value::as_object).into_iter().flat_map(serde_json::Map::values) {
            match value {
                Value::Array(rows) => rows.iter().for_each(|row| self.saw_row(row)),
                row => self.saw_row(row),
            }
        }
    }

    fn saw_row(&self, row: &Value) {
        let Some(id) = row.get("id").and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok()) else { return };
        let Some(word) = row.get("processingStatus") else { return };
        let state = State::read(word.as_str()).map_or("other", State::as_str);
        let mut rows = self.rows.borrow_mut();
        if let Some(known) = rows.iter_mut().find(|(other, _)| *other == id) {
            known.1 = state;
            return;
        }
        if rows.len() >= MAX_ROWS {
            rows.pop_front();
        }
        rows.push_back((id, state));
    }

    /// Everything that is counted here, and `gauges` with their names
    #[must_use]
    pub fn to_text(&self, gauges: &[(&str, u64)]) -> String {
        let mut text = String::new();
        let names = [
            "fundraising_requests_total",
            "fundraising_refusals_total",
            "fundraising_upstream_calls_total",
            "fundraising_gift_warnings_total",
        ];
        // Writing to a string cannot fail.
        for name in names {
            let _ = writeln!(text, "# TYPE {name} counter");
            for counter in self.counters.borrow().iter().filter(|counter| counter.name == name) {
                let Counter { method, target, status, count, .. } = counter;
                let _ = match name {
                    "fundraising_upstream_calls_total" => {
                        writeln!(text, "{name}{{method=\"{method}\",object=\"{target}\",status=\"{status}\"}} {count}")
                    }
                    "fundraising_gift_warnings_total" => writeln!(text, "{name}{{warning=\"{target}\"}} {count}"),
                    _ => writeln!(text, "{name}{{endpoint=\"{method} {target}\",status=\"{status}\"}} {count}"),
                };
            }
        }
        let mut states: Vec<(&str, u64)> = Vec::new();
        for (_, state) in self.rows.borrow().iter() {
            match states.iter_mut().find(|(other, _)| other == state) {
                Some((_, count)) => *count += 1,
                None => states.push((state, 1)),
            }
        }
        let _ = writeln!(text, "# TYPE fundraising_staging_rows_last_seen gauge");
        for (state, count) in states {
            let _ = writeln!(text, "fundraising_staging_rows_last_seen{{state=\"{state}\"}} {count}");
        }
        for (name, value) in gauges {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            let _ = writeln!(text, "# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_are_counted_by_state() {
        let metrics = Metrics::default();
        let [first, second, third] = [1, 2, 3].map(Uuid::from_u128);
        metrics.count_staged_gifts(&json!({ "data": { "giftStagings": [
            { "id": first, "processingStatus": "pending" },
            { "id": second, "processingStatus": "pending" },
            { "id": third },
        ] } }));
        metrics.count_staged_gifts(
            &json!({ "data": { "updateGiftStaging": { "id": second, "processingStatus": "processed" } } }),
        );
        metrics.count_answer("GET", "gifts", 200);
        metrics.count_answer("GET", "gifts", 200);
        metrics.count_answer("GET", "gifts", 429);
        metrics.count_call("GET", "gifts", 200);
        metrics.count_warning("donor_in_trash");
        let text = metrics.to_text(&[("fundraising_queue_waiting", 3)]);
        for line in [
            "fundraising_staging_rows_last_seen{state=\"pending\"} 1",
            "fundraising_staging_rows_last_seen{state=\"processed\"} 1",
            "fundraising_requests_total{endpoint=\"GET gifts\",status=\"200\"} 2",
            "fundraising_refusals_total{endpoint=\"GET gifts\",status=\"429\"} 1",
            "fundraising_upstream_calls_total{method=\"GET\",object=\"gifts\",status=\"200\"} 1",
            "fundraising_gift_warnings_total{warning=\"donor_in_trash\"} 1",
            "fundraising_queue_waiting 3",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
