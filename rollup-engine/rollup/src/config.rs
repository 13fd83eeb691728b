//! The configuration: definitions, and how to run them.

use std::time::Duration;

use serde_json::{Map, Value as Json};
use twenty::client::MAX_RECORDS;
use twenty::rate_limiter::RateLimit;
use twenty::schema::nearest;

use crate::definitions::{self, Definition, Fault, shown};

/// What runs where nothing is configured
const DEFAULTS: &str = include_str!("defaults.json");

/// The built-in definitions, as they would stand in a configuration
///
/// ```
/// let definitions = rollup::config::built_in_definitions();
/// assert_eq!(definitions[0]["parentObject"], "person");
/// ```
#[must_use]
pub fn built_in_definitions() -> Json {
    serde_json::from_slice(DEFAULTS.as_bytes()).unwrap_or_default()
}

/// `$schema` is for editors.
pub(crate) const KEYS: [&str; 9] = [
    "definitions",
    "$schema",
    "timeZone",
    "fiscalYearStartMonth",
    "mixedCurrency",
    "objects",
    "pacing",
    "graphql",
    "rebuild",
];
pub(crate) const PACING_KEYS: [&str; 5] = ["pageSize", "concurrency", "pauseMs", "requestsPerMinute", "burst"];
pub(crate) const REBUILD_KEYS: [&str; 1] = ["parentsPerRun"];

/// What to do with a money field whose amounts are in several currencies
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MixedCurrency {
    /// Leave what is stored
    #[default]
    Leave,
    /// Empty it
    Clear,
}

/// Settings of the calls, each only where the configuration names it
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pacing {
    /// Records a page
    pub page_size: Option<u32>,
    /// Calls in flight at once
    pub concurrency: Option<u32>,
    /// Least time between the starts of two calls
    pub pause: Option<Duration>,
    /// Requests a minute
    pub requests_per_minute: Option<u32>,
    /// Requests that a rebuild may open with
    pub burst: Option<u32>,
}

impl Pacing {
    /// The pace of a run; `requests_per_minute` is what the environment says, over the configuration
    #[must_use]
    pub fn rate_limit(&self, requests_per_minute: Option<u32>, max_burst: u32) -> RateLimit {
        let default = RateLimit::default();
        RateLimit {
            requests_per_minute,
            burst: self.burst.unwrap_or(default.burst).min(max_burst),
            concurrency: self.concurrency.unwrap_or(default.concurrency),
            pause: self.pause.unwrap_or(default.pause),
            ..default
        }
    }

    /// Records a page
    #[must_use]
    pub fn page_size(&self) -> usize {
        self.page_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(MAX_RECORDS)
    }
}

/// A valid configuration
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The definitions
    pub definitions: Vec<Definition>,
    /// IANA name of the zone whose days count
    pub time_zone: String,
    /// Month in which the fiscal year begins, 1 to 12
    pub fiscal_year_start_month: u8,
    /// What becomes of mixtures
    pub mixed_currency: MixedCurrency,
    /// Plurals of objects that are not in the usual table, for tokens that may not read the metadata
    pub objects: Vec<(String, String)>,
    /// Settings of the calls
    pub pacing: Pacing,
    /// Whether GraphQL may be used, where the server has it
    pub graphql: bool,
    /// Parents that one run of a rebuild takes before it hands on; without end if absent
    pub parents_per_run: Option<u32>,
    /// Tells one configuration from another, so that nothing goes on that was begun with another
    pub fingerprint: u64,
    /// Whether the definitions are the built-in ones, of which no workspace need have all
    pub built_in: bool,
}

impl Config {
    /// Reads a configuration from text; an empty one means the defaults
    ///
    /// # Examples
    ///
    /// ```
    /// use rollup::config::Config;
    ///
    /// let config = Config::from_text(r#"{"definitions":[],"timeZone":"Europe/London"}"#).unwrap();
    /// assert_eq!(config.time_zone, "Europe/London");
    /// assert!(Config::from_text("").unwrap().built_in);
    /// assert_eq!(Config::from_text(r#"{"timezone":"UTC"}"#).unwrap_err()[0].place, "timezone");
    /// ```
    ///
    /// # Errors
    /// All faults that were found.
    pub fn from_text(text: &str) -> Result<Self, Vec<Fault>> {
        let built_in = text.trim().is_empty();
        let text = if built_in { DEFAULTS } else { text };
        let json = serde_json::from_slice(text.as_bytes())
            .map_err(|error| vec![Fault::new("configuration", format!("not JSON: {error}"))])?;
        Ok(Self { built_in, ..Self::from_json(&json)? })
    }

    /// Reads a configuration: a list of definitions, or an object with `definitions` and settings
    ///
    /// # Errors
    /// All faults that were found.
    pub fn from_json(json: &Json) -> Result<Self, Vec<Fault>> {
        let mut settings = Settings { faults: Vec::new() };
        let none = Map::new();
        let (object, list) = match json {
            Json::Object(object) => (object, object.get("definitions").unwrap_or(&Json::Null)),
            list => (&none, list),
        };
        settings.keys("", object, &KEYS);
        let mut config = Self {
            definitions: Vec::new(),
            time_zone: settings.text(object, "timeZone").unwrap_or("UTC").to_owned(),
            fiscal_year_start_month: settings.number(object, "", "fiscalYearStartMonth", 1, 12).unwrap_or(1),
            mixed_currency: settings.mixed_currency(object),
            objects: settings.objects(object),
            pacing: settings.pacing(object),
            graphql: settings.graphql(object),
            parents_per_run: settings.parents_per_run(object),
            fingerprint: fingerprint(&serde_json::to_vec(json).unwrap_or_default()),
            built_in: false,
        };
        let mut faults = settings.faults;
        match definitions::parse(list) {
            Ok(definitions) => config.definitions = definitions,
            Err(found) => faults.extend(found),
        }
        if faults.is_empty() { Ok(config) } else { Err(faults) }
    }

    /// Makes it another configuration in the eyes of a run that goes on: one of these definitions alone.
    pub(crate) fn choose(&mut self, only: &[usize]) {
        let numbers: Vec<u8> = only.iter().flat_map(|number| number.to_le_bytes()).collect();
        self.fingerprint ^= fingerprint(&numbers);
    }
}

/// FNV-1a, 64 bits
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Reads settings, noting what is wrong with them
struct Settings {
    faults: Vec<Fault>,
}

impl Settings {
    fn keys(&mut self, inside: &str, object: &Map<String, Json>, keys: &[&str]) {
        for key in object.keys().filter(|key| !keys.contains(&key.as_str())) {
            let hint = nearest(key, keys.iter().map(|key| (*key, *key))).map_or_else(
                || format!("expected one of `{}`", keys.join("`, `")),
                |near| format!("did you mean `{near}`?"),
            );
            let key = if key.is_empty() { "\"\"" } else { key };
            self.faults.push(Fault::new(format!("{inside}{key}"), format!("unknown setting, {hint}")));
        }
    }

    fn text<'j>(&mut self, object: &'j Map<String, Json>, key: &str) -> Option<&'j str> {
        let json = object.get(key)?;
        if json.as_str().is_none_or(str::is_empty) {
            self.faults.push(Fault::new(key, "expected a text"));
        }
        json.as_str()
    }

    fn number<T: TryFrom<i64>>(
        &mut self,
        object: &Map<String, Json>,
        inside: &str,
        key: &str,
        least: i64,
        most: i64,
    ) -> Option<T> {
        let json = object.get(key)?;
        let number = json.as_i64().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let message = format!("found {}, expected a whole number from {least} to {most}", shown(json));
            self.faults.push(Fault::new(format!("{inside}{key}"), message));
        }
        number.and_then(|number| T::try_from(number).ok())
    }

    fn graphql(&mut self, object: &Map<String, Json>) -> bool {
        match object.get("graphql").map(Json::as_str) {
            None | Some(Some("auto")) => true,
            Some(Some("off")) => false,
            Some(_) => {
                self.faults.push(Fault::new("graphql", "expected `auto` or `off`"));
                true
            }
        }
    }

    fn parents_per_run(&mut self, object: &Map<String, Json>) -> Option<u32> {
        let Some(rebuild) = object.get("rebuild")?.as_object() else {
            self.faults.push(Fault::new("rebuild", "expected an object with `parentsPerRun`"));
            return None;
        };
        self.keys("rebuild, ", rebuild, &REBUILD_KEYS);
        self.number(rebuild, "rebuild, ", "parentsPerRun", 1, 10_000)
    }

    fn mixed_currency(&mut self, object: &Map<String, Json>) -> MixedCurrency {
        match object.get("mixedCurrency").map(Json::as_str) {
            None | Some(Some("leave")) => MixedCurrency::Leave,
            Some(Some("clear")) => MixedCurrency::Clear,
            Some(_) => {
                self.faults.push(Fault::new("mixedCurrency", "expected `leave` or `clear`"));
                MixedCurrency::Leave
            }
        }
    }

    fn objects(&mut self, object: &Map<String, Json>) -> Vec<(String, String)> {
        let mut plurals = Vec::new();
        match object.get("objects") {
            None => {}
            Some(Json::Object(entries)) => {
                for (singular, plural) in entries {
                    match plural.as_str().filter(|plural| plural.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
                        Some(plural) if !plural.is_empty() => {
                            plurals.push((singular.clone(), plural.to_owned()));
                        }
                        _ => self.faults.push(Fault::new(
                            format!("objects.{singular}"),
                            "expected the plural of the object, in letters and digits",
                        )),
                    }
                }
            }
            Some(_) => self.faults.push(Fault::new("objects", "expected an object of singular and plural names")),
        }
        plurals
    }

    fn pacing(&mut self, object: &Map<String, Json>) -> Pacing {
        let Some(json) = object.get("pacing") else { return Pacing::default() };
        let Some(object) = json.as_object() else {
            self.faults.push(Fault::new("pacing", "expected an object"));
            return Pacing::default();
        };
        let inside = "pacing.";
        self.keys(inside, object, &PACING_KEYS);
        Pacing {
            page_size: self.number(object, inside, "pageSize", 1, 200),
            concurrency: self.number(object, inside, "concurrency", 1, 20),
            pause: self.number(object, inside, "pauseMs", 0, 60_000).map(Duration::from_millis),
            requests_per_minute: self.number(object, inside, "requestsPerMinute", 1, 100_000),
            burst: self.number(object, inside, "burst", 1, 100_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn messages(json: &Json) -> Vec<String> {
        Config::from_json(json).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_empty_configuration_means_the_defaults() {
        let config = Config::from_text(" ").unwrap();
        let parents: Vec<_> = config.definitions.iter().map(|definition| definition.parent_object.as_str()).collect();
        assert_eq!(
            parents,
            ["person", "household", "company", "appeal", "recurringAgreement", "giftPayout", "giftPayout"]
        );
        assert_eq!((config.time_zone.as_str(), config.fiscal_year_start_month), ("UTC", 1));
        let pace = config.pacing.rate_limit(Some(80), 80);
        assert_eq!((pace, config.pacing.page_size()), (RateLimit::default(), 200));
    }

    #[test]
    fn settings_stand_beside_the_definitions() {
        let config = Config::from_json(&json!({
            "definitions": [], "timeZone": "Europe/London", "fiscalYearStartMonth": 4, "mixedCurrency": "clear",
            "objects": { "fund": "funds" },
            "pacing": { "pageSize": 60, "concurrency": 2, "pauseMs": 100, "requestsPerMinute": 40, "burst": 20 }
        }));
        let config = config.unwrap();
        assert_eq!((config.time_zone.as_str(), config.fiscal_year_start_month), ("Europe/London", 4));
        assert_eq!((config.mixed_currency, config.objects[0].1.as_str()), (MixedCurrency::Clear, "funds"));
        let pace = config.pacing.rate_limit(config.pacing.requests_per_minute, 10);
        assert_eq!((pace.burst, pace.concurrency, pace.pause.as_millis(), config.pacing.page_size()), (10, 2, 100, 60));
    }

    #[test]
    fn each_fault_names_its_setting() {
        assert_eq!(
            messages(&json!({
                "definitions": {}, "timezone": "UTC", "timeZone": 1, "fiscalYearStartMonth": 13, "mixedCurrency": "add",
                "objects": { "fund": "fu/nds" }, "pacing": { "pageSize": 201, "pause": 5, "burst": 0.5 }
            })),
            [
                "timezone: unknown setting, did you mean `timeZone`?",
                "timeZone: expected a text",
                "fiscalYearStartMonth: found 13, expected a whole number from 1 to 12",
                "mixedCurrency: expected `leave` or `clear`",
                "objects.fund: expected the plural of the object, in letters and digits",
                "pacing.pause: unknown setting, did you mean `pauseMs`?",
                "pacing.pageSize: found 201, expected a whole number from 1 to 200",
                "pacing.burst: found 0.5, expected a whole number from 1 to 100000",
                "definitions: expected a list, found an object",
            ]
        );
        assert_eq!(
            Config::from_text("[{").unwrap_err()[0].to_string(),
            "configuration: not JSON: EOF while parsing an object at line 1 column 2"
        );
        assert_eq!(messages(&json!({})), ["definitions: expected a list, found null"]);
    }
}
