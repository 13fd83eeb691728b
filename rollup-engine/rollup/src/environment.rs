//! What a run is told by its environment variables.

use std::ops::RangeInclusive;

use ports::DEFAULT_MAX_RESPONSE_BYTES;
use twenty::client::Connection;
use twenty::rate_limiter::RateLimit;
use twenty::setting::{self, MAX_REQUESTS_PER_MINUTE};

use crate::config::Config;

/// Address of the server
const URL: &str = "TWENTY_API_URL";
/// The app's own token
const APP_TOKEN: &str = "TWENTY_APP_APPLICATION_ACCESS_TOKEN";
/// An API key; in a function the app's own token by its older name
const API_KEY: &str = "TWENTY_API_KEY";
/// A token that, where the first exists, acts as the user who caused the run and may not see every gift
const USER_TOKEN: &str = "TWENTY_APP_ACCESS_TOKEN";
/// In the order in which they count
const TOKENS: [&str; 3] = [APP_TOKEN, API_KEY, USER_TOKEN];
/// The configuration as JSON text
const CONFIG: &str = "ROLLUP_ENGINE_CONFIG";
/// Requests a minute, or `off`
const RATE: &str = "ROLLUP_ENGINE_REQUESTS_PER_MINUTE";
/// Largest answer that is read, in bytes
const MAX_RESPONSE_BYTES: &str = "ROLLUP_ENGINE_MAX_RESPONSE_BYTES";
/// Sizes of an answer that memory has room for
const RESPONSE_BYTES: RangeInclusive<u64> = 1..=1 << 30;

/// The variables that are read, and no others
pub const NAMES: [&str; 7] = [URL, APP_TOKEN, API_KEY, USER_TOKEN, CONFIG, RATE, MAX_RESPONSE_BYTES];

/// How the names begin that only this engine can be meant by
const PREFIX: &str = "ROLLUP_ENGINE_";

/// Requests a minute of an app's own token, half of what Twenty gives an app over all workspaces of a server
const APP_RATE: u32 = 240;

/// Environment variables that were handed over
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables(Vec<(String, String)>);

impl Variables {
    /// Sets a variable, in place of what it was
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// Unsets a variable
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(other, _)| other != name);
    }

    fn get(&self, name: &str) -> Option<&str> {
        setting::filled(self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str()))
    }

    /// The largest answer that is read, in bytes
    ///
    /// # Errors
    /// It is no number, or 0.
    pub fn max_response_bytes(&self) -> Result<u64, EnvironmentError> {
        let Some(text) = self.get(MAX_RESPONSE_BYTES) else { return Ok(DEFAULT_MAX_RESPONSE_BYTES) };
        let size = setting::whole_number(text).filter(|size| RESPONSE_BYTES.contains(size));
        size.ok_or_else(|| EnvironmentError::BadSize(setting::shown(text, &[])))
    }
}

/// What the variables say
#[derive(Clone, Debug)]
pub struct Environment {
    /// Where to call, and as whom
    pub connection: Connection,
    /// What to compute, and how
    pub config: Config,
    /// Requests a minute; nothing for no limit
    pub requests_per_minute: Option<u32>,
}

/// A variable that is missing or wrong
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// No address
    #[error("`{URL}` is not set, expected the address of the Twenty server")]
    NoUrl,
    /// Not an address
    #[error("`{URL}` is `{0}`, expected {expected}", expected = setting::URL)]
    BadUrl(String),
    /// No token
    #[error("no token: `{APP_TOKEN}`, `{API_KEY}` and `{USER_TOKEN}` are not set")]
    NoToken,
    /// Not a token; it is not shown
    #[error("`{0}` (the value is not shown), expected {expected}", expected = setting::SECRET)]
    BadToken(&'static str),
    /// Not a rate
    #[error("`{RATE}` is `{0}`, expected a whole number from 1 to {MAX_REQUESTS_PER_MINUTE}, or `off`")]
    BadRate(String),
    /// Not a size
    #[error("`{MAX_RESPONSE_BYTES}` is `{0}`, expected a whole number of bytes from 1 to {MAX}", MAX = RESPONSE_BYTES.end())]
    BadSize(String),
    /// Not a configuration
    #[error("`{CONFIG}`: {0}")]
    BadConfig(String),
}

impl EnvironmentError {
    /// Stable name of the kind of error, for programs
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoUrl => "missing_url",
            Self::BadUrl(_) => "invalid_url",
            Self::NoToken => "missing_token",
            Self::BadToken(_) => "invalid_token",
            Self::BadRate(_) => "invalid_rate",
            Self::BadSize(_) => "invalid_size",
            Self::BadConfig(_) => "invalid_config",
        }
    }
}

impl Environment {
    /// Reads the variables
    ///
    /// # Examples
    ///
    /// ```
    /// use rollup::environment::{Environment, Variables};
    ///
    /// let mut variables = Variables::default();
    /// variables.set("TWENTY_API_URL", "https://crm.example.org/rest");
    /// variables.set("TWENTY_API_KEY", "key");
    /// let environment = Environment::read(&variables).unwrap();
    /// assert_eq!(environment.connection.base_url, "https://crm.example.org");
    /// assert_eq!(environment.requests_per_minute, Some(80));
    /// ```
    ///
    /// # Errors
    /// For the first variable that is missing or wrong.
    pub fn read(variables: &Variables) -> Result<Self, EnvironmentError> {
        let get = |name: &str| variables.get(name);
        let config = Config::from_text(get(CONFIG).unwrap_or_default()).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            EnvironmentError::BadConfig(faults.join("; "))
        })?;
        let tokens = || TOKENS.into_iter().filter_map(|name| Some((name, get(name)?)));
        let secrets: Vec<&str> = tokens().map(|(_, token)| token).collect();
        let shown = |text: &str| setting::shown(text, &secrets);
        let url = get(URL).ok_or(EnvironmentError::NoUrl)?;
        let base_url = base_url(url).ok_or_else(|| EnvironmentError::BadUrl(shown(url)))?;
        if let Some((name, _)) = tokens().find(|(_, token)| !setting::is_secret(token)) {
            return Err(EnvironmentError::BadToken(name));
        }
        let (name, token) = tokens().next().ok_or(EnvironmentError::NoToken)?;
        let default = if name == APP_TOKEN { Some(APP_RATE) } else { RateLimit::default().requests_per_minute };
        let requests_per_minute = match get(RATE) {
            None => config.pacing.requests_per_minute.or(default),
            Some(text) if text.eq_ignore_ascii_case("off") => None,
            Some(text) => {
                let rate = setting::whole_number(text).and_then(|rate| u32::try_from(rate).ok());
                let rate = rate.filter(|rate| (1..=MAX_REQUESTS_PER_MINUTE).contains(rate));
                Some(rate.ok_or_else(|| EnvironmentError::BadRate(shown(text)))?)
            }
        };
        // The host has it already; a wrong one is told here, as the others are.
        variables.max_response_bytes()?;
        Ok(Self { connection: Connection { base_url, token: token.to_owned() }, config, requests_per_minute })
    }
}

/// The address without a trailing slash and without `/rest`, which some installations carry
fn base_url(text: &str) -> Option<String> {
    let url = setting::base_url(text).ok()?;
    Some(url.strip_suffix("/rest").unwrap_or(&url).trim_end_matches('/').to_owned())
}

/// Those of an environment's names that look like a setting of the engine and are none, each with the one that may be meant
///
/// # Examples
///
/// ```
/// use rollup::environment::unknown_names;
///
/// let unknown: Vec<_> = unknown_names(["ROLLUP_ENGINE_CONFIGURATION", "PATH"]).collect();
/// assert_eq!(unknown, [("ROLLUP_ENGINE_CONFIGURATION", Some("ROLLUP_ENGINE_CONFIG"))]);
/// ```
pub fn unknown_names<'a>(
    names: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = (&'a str, Option<&'static str>)> {
    let known = [CONFIG, RATE, MAX_RESPONSE_BYTES];
    let unknown = move |name: &&str| name.to_ascii_uppercase().starts_with(PREFIX) && !known.contains(name);
    names.into_iter().filter(unknown).map(move |name| (name, setting::nearest(name, &known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment, EnvironmentError> {
        let mut given = Variables::default();
        for (name, value) in variables {
            given.set(name, *value);
        }
        Environment::read(&given)
    }

    const HERE: (&str, &str) = (URL, "https://crm.example.org");

    /// The apps own token comes first and the users last
    #[test]
    fn token_precedence() {
        let token = |variables: &[(&str, &str)]| read(variables).map(|found| found.connection.token);
        assert_eq!(token(&[HERE, (USER_TOKEN, "u"), (API_KEY, "k"), (APP_TOKEN, "a")]).unwrap(), "a");
        assert_eq!(token(&[HERE, (USER_TOKEN, "u"), (API_KEY, "k"), (APP_TOKEN, "")]).unwrap(), "k");
        assert_eq!(token(&[HERE, (USER_TOKEN, "u")]).unwrap(), "u");
    }

    #[test]
    fn address_with_and_without_rest() {
        for url in ["https://crm.example.org", "https://crm.example.org/", "https://crm.example.org/rest/"] {
            assert_eq!(read(&[(URL, url), (API_KEY, "k")]).unwrap().connection.base_url, "https://crm.example.org");
        }
        assert_eq!(read(&[(URL, "http://a/b/rest"), (API_KEY, "k")]).unwrap().connection.base_url, "http://a/b");
    }

    /// The rate comes from the variable then the configuration then the token
    #[test]
    fn rate_precedence() {
        let rate = |more: &[(&str, &str)]| read(&[&[HERE], more].concat()).unwrap().requests_per_minute;
        let config = (CONFIG, r#"{"definitions":[],"pacing":{"requestsPerMinute":40}}"#);
        assert_eq!(rate(&[(API_KEY, "k")]), Some(80));
        assert_eq!(rate(&[(APP_TOKEN, "k")]), Some(240));
        assert_eq!(rate(&[(APP_TOKEN, "k"), config]), Some(40));
        assert_eq!(rate(&[(APP_TOKEN, "k"), config, (RATE, "7")]), Some(7));
        assert_eq!(rate(&[(APP_TOKEN, "k"), config, (RATE, "off")]), None);
    }

    #[test]
    fn each_wrong_variable_is_named() {
        for (variables, code, message) in [
            (
                vec![(API_KEY, "k")],
                "missing_url",
                "`TWENTY_API_URL` is not set, expected the address of the Twenty server",
            ),
            (
                vec![(URL, "crm.example.org"), (API_KEY, "k")],
                "invalid_url",
                "`TWENTY_API_URL` is `crm.example.org`, expected an address such as `https://crm.example.org`: http or https, a host, no name or password, no `?` and no `#`",
            ),
            (
                vec![HERE],
                "missing_token",
                "no token: `TWENTY_APP_APPLICATION_ACCESS_TOKEN`, `TWENTY_API_KEY` and `TWENTY_APP_ACCESS_TOKEN` are not set",
            ),
            (
                vec![HERE, (API_KEY, "k"), (RATE, "fast")],
                "invalid_rate",
                "`ROLLUP_ENGINE_REQUESTS_PER_MINUTE` is `fast`, expected a whole number from 1 to 100000, or `off`",
            ),
            (
                vec![HERE, (API_KEY, "k"), (CONFIG, "[1,")],
                "invalid_config",
                "`ROLLUP_ENGINE_CONFIG`: configuration: not JSON: EOF while parsing a value at line 1 column 3",
            ),
        ] {
            let error = read(&variables).unwrap_err();
            assert_eq!((error.code(), error.to_string().as_str()), (code, message));
        }
    }

    /// A name, a token or a secret of an address is printed by no message.
    #[test]
    fn unreadable_values_refused() {
        let key = (API_KEY, "hush-hush");
        for (name, value, code) in [
            (URL, "ftp://crm.example.org", "invalid_url"),
            (URL, "https://me:hush-hush@crm.example.org", "invalid_url"),
            (URL, "https://crm.example.org/?token=hush-hush", "invalid_url"),
            (URL, "hush-hush", "invalid_url"),
            (URL, "https://crm.example.org:0", "invalid_url"),
            (APP_TOKEN, "hush hush", "invalid_token"),
            (API_KEY, "hush\nhush", "invalid_token"),
            (USER_TOKEN, "\"hush-hush\"", "invalid_token"),
            (RATE, "0", "invalid_rate"),
            (RATE, "-1", "invalid_rate"),
            (RATE, "1.5", "invalid_rate"),
            (RATE, "+8", "invalid_rate"),
            (RATE, "100001", "invalid_rate"),
            (RATE, "4294967297", "invalid_rate"),
            (RATE, "none", "invalid_rate"),
            (CONFIG, "{\"definitons\":[]}", "invalid_config"),
            (CONFIG, "5", "invalid_config"),
        ] {
            let error = read(&[HERE, key, (name, value)]).unwrap_err();
            let message = error.to_string();
            assert!(error.code() == code && message.contains(name) && !message.contains("hush"), "{value}: {message}");
        }
        let blank: Vec<_> =
            NAMES.into_iter().filter(|name| ![URL, API_KEY].contains(name)).map(|name| (name, " ")).collect();
        assert!(read(&[&[HERE, key], &blank[..]].concat()).is_ok());
        assert_eq!(read(&[HERE, key, (RATE, "OFF")]).unwrap().requests_per_minute, None);
    }

    #[test]
    fn unknown_names_with_the_nearest() {
        let unknown: Vec<_> =
            unknown_names([CONFIG, RATE, "PATH", "ROLLUP_ENGINE_REQUEST_PER_MINUTE", "rollup_engine_config"]).collect();
        assert_eq!(unknown, [("ROLLUP_ENGINE_REQUEST_PER_MINUTE", Some(RATE)), ("rollup_engine_config", Some(CONFIG))]);
    }
}
