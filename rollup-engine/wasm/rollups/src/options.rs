//! What a caller may set, read from a JavaScript object.
//!
//! `env` is read for the engine's own names and no others: it may be the whole environment of a server. The other
//! options are put over it under the same names, so that there is one set of rules for what they mean.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use js_sys::Date;
use ports::{Event, Level, Log};
use rollup::TotalsOptions;
use rollup::environment::Variables;
use wasm_bindgen::prelude::*;
use wasm_host::{DEFAULT_MAX_RESPONSE_BYTES, JsHost, Options, Queue, Store, from_js, random_seed, stringify};

const CODE: &str = "invalid_options";

const KNOWN: [&str; 11] = [
    "env",
    "apiUrl",
    "token",
    "config",
    "requestsPerMinute",
    "timeLimitSeconds",
    "only",
    "fetch",
    "log",
    "store",
    "enqueue",
];

thread_local! {
    /// Names that were warned of
    static TOLD: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

const TOTALS_KNOWN: [&str; 3] = ["now", "timeZone", "fiscalYearStartMonth"];

/// The options of one run
pub(crate) struct RunOptions {
    pub(crate) host: JsHost,
    pub(crate) engine: rollup::Options,
}

impl RunOptions {
    pub(crate) fn read(value: &JsValue) -> Result<Self, JsValue> {
        let options = Options::new(value, &KNOWN, CODE)?;
        let env = options.inner("env", "env.")?;
        let mut environment = Variables::default();
        for name in rollup::environment::NAMES {
            if let Some(text) = env.text(name)? {
                environment.set(name, text);
            }
        }

        let unknown = unknown_settings(&env);

        let mut set = |name: &str, value: String| environment.set(name, value);
        if let Some(url) = options.text("apiUrl")? {
            set("TWENTY_API_URL", url);
        }
        if let Some(config) = options.get("config")? {
            let text = config.as_string().map_or_else(|| stringify(&config, CODE, "options: `config`"), Ok)?;
            set("ROLLUP_ENGINE_CONFIG", text);
        }
        if let Some(pace) = options.number("requestsPerMinute")? {
            set("ROLLUP_ENGINE_REQUESTS_PER_MINUTE", stringify(&pace.into(), CODE, "options: `requestsPerMinute`")?);
        }
        if let Some(token) = options.text("token")? {
            // Alone: the other two would win over it.
            for name in rollup::environment::NAMES.iter().filter(|name| name.starts_with("TWENTY_APP_")) {
                environment.remove(name);
            }
            environment.set("TWENTY_API_KEY", token);
        }

        let time_limit = options.number("timeLimitSeconds")?.map(|seconds| {
            Duration::try_from_secs_f64(seconds).map_err(|_| options.expected("timeLimitSeconds", "a number from 0 up"))
        });
        // The engine refuses one that cannot be read.
        let max_response_bytes = environment.max_response_bytes().unwrap_or(DEFAULT_MAX_RESPONSE_BYTES);
        let engine = rollup::Options {
            environment,
            seed: random_seed(),
            time_limit: time_limit.transpose()?,
            only: only(&options)?,
            ..rollup::Options::default()
        };
        let store = match options.get("store")? {
            Some(_) => Some(Store::read(&options.inner("store", "store.")?)?),
            None => None,
        };
        let queue = options.function("enqueue")?.map(Queue::new);
        let host = JsHost::new(options.function("fetch")?, options.function("log")?)
            .reading_at_most(max_response_bytes)
            .with_services(store, queue);
        for event in unknown {
            host.log(event);
        }
        Ok(Self { host, engine })
    }
}

/// The numbers of the definitions to run
fn only(options: &Options) -> Result<Option<Vec<usize>>, JsValue> {
    let Some(list) = options.get("only")? else { return Ok(None) };
    let numbers = from_js(&list, CODE, "options: `only`");
    numbers.map(Some).map_err(|_| options.expected("only", "a list of numbers of definitions"))
}

/// Names of the environment that look like a setting of the engine and are none; each is told once in a process
fn unknown_settings(env: &Options) -> Vec<Event> {
    let names = env.names();
    let mut events = Vec::new();
    for (name, nearest) in rollup::environment::unknown_names(names.iter().map(String::as_str)) {
        if TOLD.with_borrow_mut(|told| told.insert(name.to_owned())) {
            let event = Event::new(Level::Warn, "setting_not_recognized").with("name", name);
            events.push(match nearest {
                Some(nearest) => event.with("nearest", nearest),
                None => event,
            });
        }
    }
    events
}

/// The options of a computation without network
pub(crate) fn totals_options(value: &JsValue) -> Result<TotalsOptions, JsValue> {
    let options = Options::new(value, &TOTALS_KNOWN, CODE)?;
    let now = options.get("now")?.map(|now| match now.dyn_into::<Date>() {
        Ok(date) if date.get_time().is_nan() => Err(options.expected("now", "a valid date")),
        Ok(date) => Ok(String::from(date.to_iso_string())),
        Err(text) => text.as_string().ok_or_else(|| options.expected("now", "a Date or an ISO string")),
    });
    let month = options.number("fiscalYearStartMonth")?.map(|month| {
        let whole = (1..=12).find(|whole| f64::from(*whole).to_bits() == month.to_bits());
        whole.ok_or_else(|| options.expected("fiscalYearStartMonth", "a whole number from 1 to 12"))
    });
    Ok(TotalsOptions {
        now: now.transpose()?,
        time_zone: options.text("timeZone")?,
        fiscal_year_start_month: month.transpose()?,
    })
}
