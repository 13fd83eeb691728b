//! What the engine spends on a real history of gifts, in requests as the rate limiter counts them, beside what it may.
//!
//! `cargo run --release -p rollup --example requests -- GIFTS.csv` (columns `donor,gift_date,amount,currency`), or
//! `-- million [GIFTS]` for made-up gifts, a million unless said otherwise, three of each donor
//!
//! Default limits and virtual time: every figure is repeatable. `npm run bench` fetches the history and calls this.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::Duration;

use ports::Timestamp;
use rollup::{Options, Report, calculate_rollups};
use sandbox::{Faults, Sandbox, SandboxHost, Settings};
use serde_json::{Value, json};
use uuid::Uuid;

type Failure = Box<dyn std::error::Error>;

/// A workspace with every object that the default definitions name
struct World {
    sandbox: Rc<RefCell<Sandbox>>,
    token: String,
    minutes: u32,
}

const TOTALS: [(&str, &str); 6] = [
    ("CURRENCY", "lifetimeGiftAmount"),
    ("CURRENCY", "yearToDateGiftAmount"),
    ("NUMBER", "lifetimeGiftCount"),
    ("NUMBER", "yearToDateGiftCount"),
    ("DATE", "firstGiftDate"),
    ("DATE", "lastGiftDate"),
];

impl World {
    fn new(gifts: impl Read) -> Result<Self, Failure> {
        let mut sandbox = Sandbox::new(Settings::default());
        sandbox.ensure_gift_schema();
        for (object, plural, fields) in [
            ("household", "households", TOTALS.to_vec()),
            ("appeal", "appeals", vec![("CURRENCY", "raisedAmount"), ("NUMBER", "giftCount")]),
            (
                "recurringAgreement",
                "recurringAgreements",
                vec![("CURRENCY", "totalReceivedAmount"), ("NUMBER", "paidInstallmentCount"), ("DATE", "lastPaidAt")],
            ),
            (
                "giftPayout",
                "giftPayouts",
                vec![
                    ("CURRENCY", "matchedGrossAmount"),
                    ("CURRENCY", "matchedFeeAmount"),
                    ("NUMBER", "matchedGiftCount"),
                    ("NUMBER", "pendingStagingCount"),
                ],
            ),
            ("giftStaging", "giftStagings", vec![("TEXT", "processingStatus")]),
        ] {
            // Some are part of the gift schema.
            let _ = sandbox.add_object(object, plural);
            for (kind, name) in fields {
                let _ = sandbox.add_field(object, kind, name, &[]);
            }
        }
        for (kind, name) in TOTALS {
            let _ = sandbox.add_field("company", kind, name, &[]);
        }
        let _ = sandbox.add_field("gift", "CURRENCY", "feeAmount", &[]);
        for (child, field, parent, many) in [
            ("person", "household", "household", "members"),
            ("gift", "company", "company", "gifts"),
            ("gift", "appeal", "appeal", "gifts"),
            ("gift", "recurringAgreement", "recurringAgreement", "gifts"),
            ("gift", "giftPayout", "giftPayout", "gifts"),
            ("giftStaging", "giftPayout", "giftPayout", "giftStagings"),
        ] {
            let _ = sandbox.add_relation(child, field, parent, many);
        }
        let long_ago = Timestamp::parse("2026-01-01T00:00:00Z").unwrap_or_default();
        sandbox.load_gifts_csv(gifts, long_ago)?;
        sandbox.drain_events();
        let token = sandbox.tokens().token.clone();
        Ok(Self { sandbox: Rc::new(RefCell::new(sandbox)), token, minutes: 0 })
    }

    /// The time, an hour later at each call: the bucket is full again
    fn later(&mut self) -> Timestamp {
        self.minutes += 60;
        let start = Timestamp::parse("2026-11-30T12:00:00Z").unwrap_or_default();
        start + Duration::from_secs(u64::from(self.minutes) * 60)
    }

    async fn run(&mut self, payload: &Value, config: Option<&str>, limit: Option<Duration>) -> Report {
        let mut options = Options { seed: 7, time_limit: limit, ..Options::default() };
        options.environment.set("TWENTY_API_URL", "http://twenty.test");
        options.environment.set("TWENTY_API_KEY", self.token.clone());
        if let Some(config) = config {
            options.environment.set("ROLLUP_ENGINE_CONFIG", config);
        }
        let host = SandboxHost::new(self.sandbox.clone(), Faults::none(), self.later());
        calculate_rollups(&host, payload, &options).await
    }

    fn create(&mut self, object: &str, fields: &Value) -> Result<Uuid, Failure> {
        let now = self.later();
        let created = self.sandbox.borrow_mut().create(object, fields, now);
        created.map_err(|_| format!("no {object} could be made").into())
    }

    /// The events of gifts since the last call, as one batch for each name and at most 200 events
    fn batches(&self) -> Vec<Value> {
        let mut batches: Vec<(String, Vec<Value>)> = Vec::new();
        for event in self.sandbox.borrow_mut().drain_events() {
            let event = serde_json::to_value(event).unwrap_or_default();
            let name = event.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            // The engine's own writes are events of parents, and start no run.
            if !name.starts_with("gift.") {
                continue;
            }
            match batches.iter_mut().find(|(other, events)| *other == name && events.len() < 200) {
                Some((_, events)) => events.push(event),
                None => batches.push((name, vec![event])),
            }
        }
        let batch = |(name, events): (String, Vec<Value>)| {
            let metadata = events.first().and_then(|event| event.get("objectMetadata")).cloned();
            json!({ "name": name, "objectMetadata": metadata, "events": events })
        };
        batches.into_iter().map(batch).collect()
    }
}

/// Made-up gifts as CSV, three of each donor, without the whole text ever being there
struct MadeUpGifts {
    next: u32,
    count: u32,
    line: io::Cursor<Vec<u8>>,
}

impl MadeUpGifts {
    fn new(count: u32) -> Self {
        Self { next: 0, count, line: io::Cursor::new(b"donor,gift_date,amount,currency\n".to_vec()) }
    }
}

impl Read for MadeUpGifts {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.line.read(buffer)?;
        if length > 0 || self.next == self.count {
            return Ok(length);
        }
        let (gift, mut line) = (self.next, String::new());
        let (year, month, day) = (2010 + gift % 17, 1 + gift % 11, 1 + gift % 28);
        let amount = 1 + gift % 500;
        let _ = writeln!(line, "{:07},{year}-{month:02}-{day:02},{amount}.50,USD", gift % (self.count / 3).max(1));
        self.next += 1;
        self.line = io::Cursor::new(line.into_bytes());
        self.line.read(buffer)
    }
}

/// One line of the table
fn show(case: &str, reports: &[Report], most: u64) -> bool {
    let sum = |count: fn(&Report) -> u64| reports.iter().map(count).sum::<u64>();
    let tokens = sum(|report| report.requests.tokens);
    let throttled = sum(|report| report.requests.throttled);
    let well = tokens <= most && reports.iter().all(|report| report.status == rollup::report::Status::Ok);
    let plans = reports.iter().filter_map(|report| report.plan.as_ref());
    let plan: Vec<String> = plans
        .map(|plan| {
            format!(
                "planned {} reads, spent {} + {} writes + {}",
                plan.reads, plan.spent.reads, plan.spent.writes, plan.spent.rechecks
            )
        })
        .collect();
    println!(
        "| {case} | {tokens} | {most} | {} | {throttled} | {:.1} | {} | {} |",
        sum(|report| report.totals.updated),
        Duration::from_millis(sum(|report| report.took_ms)).as_secs_f64(),
        plan.join("; "),
        if well { "✓" } else { "✗" }
    );
    if !well {
        for report in reports {
            eprintln!(
                "{case}: {:?} {:?} {:?} {:?}",
                report.status, report.message, report.requests.by_endpoint, report.notes
            );
        }
    }
    well
}

const REST: &str = r#"{"definitions":DEFAULTS,"graphql":"off"}"#;

const HEAD: &str =
    "| case | requests | at most | parents written | refused | seconds | plan | |\n|---|---|---|---|---|---|---|---|";

/// More parents than are kept in memory at once; a run of its own may take as long as it needs.
async fn measure_made_up(gifts: u32) -> Result<bool, Failure> {
    println!("{HEAD}");
    let mut world = World::new(MadeUpGifts::new(gifts))?;
    let everything = json!({});
    let loaded = memory();
    let mut well = show("made up: rebuild, nothing stored yet", &[world.run(&everything, None, None).await], 2_000);
    well &= show("made up: again, nothing changed", &[world.run(&everything, None, None).await], 150);
    println!(
        "\nmemory of this process at its largest: {} MB more than with the gifts alone",
        (memory() - loaded) / 1_000
    );
    Ok(well)
}

/// Most memory that this process has had, in kB, where the system tells
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

async fn measure(path: &str) -> Result<bool, Failure> {
    let rest = REST.replace("DEFAULTS", include_str!("../src/defaults.json"));
    let limit = Some(Duration::from_mins(15));
    let everything = json!({});
    println!("{HEAD}");

    let mut world = World::new(File::open(path)?)?;
    let mut well = show("rebuild, nothing stored yet", &[world.run(&everything, None, limit).await], 160);
    well &= show("again, nothing changed", &[world.run(&everything, None, limit).await], 20);
    well &= show("sweep, nothing changed", &[world.run(&json!({ "sweep": true }), None, limit).await], 20);

    let people = world.sandbox.borrow().ids("person");
    let gift = |donor: Option<&Uuid>| json!({ "donorId": donor, "amount": { "amountMicros": 25_000_000, "currencyCode": "USD" }, "giftDate": "2026-11-29" });
    world.create("gift", &gift(people.first()))?;
    for batch in world.batches() {
        well &= show("1 gift event, donor only", &[world.run(&batch, None, limit).await], 3);
    }
    let appeal = world.create("appeal", &json!({ "name": "Winter" }))?;
    let household = world.create("household", &json!({ "name": "Home" }))?;
    let member = people.get(1).copied().unwrap_or_default();
    let now = world.later();
    let _ = world.sandbox.borrow_mut().patch("person", member, &json!({ "householdId": household }), now);
    world.run(&everything, None, limit).await;
    world.batches();
    let amount = json!({ "amountMicros": 25_000_000, "currencyCode": "USD" });
    world.create(
        "gift",
        &json!({ "donorId": member, "appealId": appeal, "amount": amount, "giftDate": "2026-11-29" }),
    )?;
    for batch in world.batches() {
        well &= show("1 gift event: donor, household, appeal", &[world.run(&batch, None, limit).await], 9);
    }
    for donor in people.iter().skip(10).take(200) {
        world.create("gift", &gift(Some(donor)))?;
    }
    let mut runs = Vec::new();
    for batch in world.batches() {
        runs.push(world.run(&batch, None, limit).await);
    }
    well &= show("200 events of 200 donors, one batch", &runs, 4);
    for donor in people.iter().skip(1_000).take(500) {
        world.create("gift", &gift(Some(donor)))?;
    }
    let mut runs = Vec::new();
    for batch in world.batches() {
        runs.push(world.run(&batch, None, limit).await);
    }
    well &= show(&format!("500 gifts of 500 donors in {} batches", runs.len()), &runs, 12);

    let mut world = World::new(File::open(path)?)?;
    well &= show("REST only: rebuild, nothing stored yet", &[world.run(&everything, Some(&rest), limit).await], 600);
    well &= show("REST only: again", &[world.run(&everything, Some(&rest), limit).await], 480);
    Ok(well)
}

fn main() -> Result<(), Failure> {
    let path = std::env::args().nth(1).ok_or("expected the path of a CSV file with donor,gift_date,amount,currency")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let well = if path == "million" {
        let gifts = std::env::args().nth(2).map_or(Ok(1_000_000), |text| text.parse())?;
        runtime.block_on(measure_made_up(gifts))?
    } else {
        runtime.block_on(measure(&path))?
    };
    if well { Ok(()) } else { Err("a case took more than it may".into()) }
}
