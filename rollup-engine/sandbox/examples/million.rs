//! Loads a million gifts and asks for pages: is the sandbox still quick at the size of a large charity?
//!
//! `cargo run --release -p sandbox --example million [GIFTS]`

use std::fmt::Write as _;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use ports::{Method, Request, Timestamp};
use sandbox::{Limits, Sandbox, Settings};

/// Made-up gifts as CSV, without the whole text ever being there
struct Lines {
    next: u32,
    count: u32,
    line: Vec<u8>,
    at: usize,
}

impl Lines {
    fn new(count: u32) -> Self {
        Self { next: 0, count, line: b"donor,gift_date,amount,currency\n".to_vec(), at: 0 }
    }

    fn refill(&mut self) {
        let mut text = String::new();
        let gift = self.next;
        // Some donors give often, most give a few times.
        let donor = if gift.is_multiple_of(3) {
            gift % 997
        } else {
            gift.wrapping_mul(2_654_435_761) % (self.count / 4).max(1)
        };
        let (year, month, day) = (2000 + gift % 25, 1 + gift % 12, 1 + gift % 28);
        let _ = writeln!(text, "{donor:07},{year}-{month:02}-{day:02},{}.{:02},GBP", 1 + gift % 500, gift % 100);
        self.line = text.into_bytes();
        self.at = 0;
        self.next += 1;
    }
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() && self.next < self.count {
            self.refill();
        }
        let rest = self.line.get(self.at..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at += length;
        Ok(length)
    }
}

fn main() -> Result<(), String> {
    let gifts: u32 = match std::env::args().nth(1) {
        Some(text) => text.parse().map_err(|_| format!("gifts `{text}`: expected a whole number"))?,
        None => 1_000_000,
    };
    let (_, small) = load(gifts / 10)?;
    let before = memory();
    let (mut sandbox, large) = load(gifts)?;
    let used = memory().saturating_sub(before);
    println!(
        "load {gifts} gifts: {:.2} s, {:.1} times as long as a tenth of them",
        large.as_secs_f64(),
        large.as_secs_f64() / small.as_secs_f64()
    );
    println!("memory: {} bytes a gift, its donor and the indexes included", used / u64::from(gifts));

    let mut cursor = String::new();
    let mut slowest = Duration::ZERO;
    let mut total = Duration::ZERO;
    let pages = 200;
    for _ in 0..pages {
        let path = format!("/rest/gifts?limit=200&starting_after={cursor}")
            .replace("&starting_after=", if cursor.is_empty() { "&x=" } else { "&starting_after=" });
        let (took, body) = ask(&mut sandbox, &path);
        slowest = slowest.max(took);
        total += took;
        cursor = body
            .split("\"endCursor\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or_default()
            .replace('=', "%3D");
    }
    println!(
        "page of 200 by id: {:.2} ms on average of {pages}, {:.2} ms at most",
        millis(total) / f64::from(pages),
        millis(slowest)
    );

    let donor = sandbox.ids("person").first().copied().unwrap_or_default();
    for (what, path) in [
        ("gifts of one donor", format!("/rest/gifts?limit=200&filter=donorId%5Beq%5D:{donor}")),
        ("count of a filter without an index", "/rest/gifts?limit=1&filter=amount.amountMicros%5Bgt%5D:400000000".to_owned()),
        ("group by year", "/rest/gifts/groupBy?group_by=[{\"giftDate\":{\"granularity\":\"YEAR\"}}]&aggregate=[\"sumAmountAmountMicros\"]".to_owned()),
    ] {
        let (took, _) = ask(&mut sandbox, &path);
        println!("{what}: {:.2} ms", millis(took));
    }
    Ok(())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[expect(clippy::disallowed_methods, reason = "this program is there to measure time")]
fn load(gifts: u32) -> Result<(Sandbox, Duration), String> {
    let start = Instant::now();
    let mut sandbox = Sandbox::new(Settings { limits: Limits::off(), ..Settings::default() });
    sandbox.load_gifts_csv(Lines::new(gifts), Timestamp::default()).map_err(|error| error.to_string())?;
    Ok((sandbox, start.elapsed()))
}

#[expect(clippy::disallowed_methods, reason = "this program is there to measure time")]
fn ask(sandbox: &mut Sandbox, path: &str) -> (Duration, String) {
    let request = Request {
        method: Method::Get,
        url: format!("http://twenty.test{path}"),
        headers: vec![("authorization".into(), format!("Bearer {}", sandbox.tokens().token))],
        body: None,
        timeout: Duration::from_secs(30),
    };
    let start = Instant::now();
    let response = sandbox.handle(&request, Timestamp::default());
    (start.elapsed(), String::from_utf8_lossy(&response.body).into_owned())
}

/// Resident memory of this process in bytes, where the system tells
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1_024
}
