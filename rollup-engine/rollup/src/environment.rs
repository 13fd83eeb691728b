//! What a run is told by its environment variables.

use twenty::budget::Pace;
use twenty::client::Connection;

use crate::config::Config;

/// Address of the server
const URL: &str = "TWENTY_API_URL";
/// The app's own token
const APP_TOKEN: &str = "TWENTY_APP_APPLICATION_ACCESS_TOKEN";
/// An API key; in a function the app's own token by its older name
const API_KEY: &str = "TWENTY_API_KEY";
/// A token that, where the first exists, acts as the user who caused the run and may not see every gift
const USER_TOKEN: &str = "TWENTY_APP_ACCESS_TOKEN";
/// The configuration as JSON text
const CONFIG: &str = "ROLLUP_ENGINE_CONFIG";
/// Requests a minute, or `off`
const RATE: &str = "ROLLUP_ENGINE_REQUESTS_PER_MINUTE";

/// The variables that are read, and no others
pub const NAMES: [&str; 6] = [URL, APP_TOKEN, API_KEY, USER_TOKEN, CONFIG, RATE];

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
        let value = self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.trim());
        value.filter(|value| !value.is_empty())
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
    #[error("`{URL}` is `{0}`, expected an address such as `https://crm.example.org`")]
    BadUrl(String),
    /// No token
    #[error("no token: `{APP_TOKEN}`, `{API_KEY}` and `{USER_TOKEN}` are not set")]
    NoToken,
    /// Not a rate
    #[error("`{RATE}` is `{0}`, expected a whole number from 1, or `off`")]
    BadRate(String),
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
            Self::BadRate(_) => "invalid_rate",
            Self::BadConfig(_) => "invalid_config",
        }
    }
}

impl Environment {
    /// Reads the variables
    ///
    /// # Errors
    /// For the first variable that is missing or wrong.
    pub fn read(variables: &Variables) -> Result<Self, EnvironmentError> {
        let get = |name: &str| variables.get(name);
        let config = Config::from_text(get(CONFIG).unwrap_or_default()).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            EnvironmentError::BadConfig(faults.join("; "))
        })?;
        let base_url = base_url(get(URL).ok_or(EnvironmentError::NoUrl)?)?;
        let (name, token) = [APP_TOKEN, API_KEY, USER_TOKEN]
            .into_iter()
            .find_map(|name| get(name).map(|token| (name, token)))
            .ok_or(EnvironmentError::NoToken)?;
        let default = if name == APP_TOKEN { Some(APP_RATE) } else { Pace::default().requests_per_minute };
        let requests_per_minute = match get(RATE) {
            None => config.pacing.requests_per_minute.or(default),
            Some("off") => None,
            Some(text) => match text.parse() {
                Ok(rate) if rate > 0 => Some(rate),
                _ => return Err(EnvironmentError::BadRate(text.to_owned())),
            },
        };
        Ok(Self { connection: Connection { base_url, token: token.to_owned() }, config, requests_per_minute })
    }
}

/// The address without a trailing slash and without `/rest`, which some installations carry
fn base_url(text: &str) -> Result<String, EnvironmentError> {
    let bad = || EnvironmentError::BadUrl(text.to_owned());
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).ok_or_else(bad)?;
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty()
        || text.contains(|letter: char| letter.is_whitespace() || matches!(letter, '?' | '#' | '"' | '<' | '>' | '\\'))
    {
        return Err(bad());
    }
    let text = text.trim_end_matches('/');
    Ok(text.strip_suffix("/rest").unwrap_or(text).trim_end_matches('/').to_owned())
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

    #[test]
    fn the_apps_own_token_comes_first_and_the_users_last() {
        let token = |variables: &[(&str, &str)]| read(variables).map(|found| found.connection.token);
        assert_eq!(token(&[HERE, (USER_TOKEN, "u"), (API_KEY, "k"), (APP_TOKEN, "a")]).unwrap(), "a");
        assert_eq!(token(&[HERE, (USER_TOKEN, "u"), (API_KEY, "k"), (APP_TOKEN, "")]).unwrap(), "k");
        assert_eq!(token(&[HERE, (USER_TOKEN, "u")]).unwrap(), "u");
    }

    #[test]
    fn the_address_is_taken_with_and_without_rest() {
        for url in ["https://crm.example.org", "https://crm.example.org/", "https://crm.example.org/rest/"] {
            assert_eq!(read(&[(URL, url), (API_KEY, "k")]).unwrap().connection.base_url, "https://crm.example.org");
        }
        assert_eq!(read(&[(URL, "http://a/b/rest"), (API_KEY, "k")]).unwrap().connection.base_url, "http://a/b");
    }

    #[test]
    fn the_rate_comes_from_the_variable_then_the_configuration_then_the_token() {
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
                "`TWENTY_API_URL` is `crm.example.org`, expected an address such as `https://crm.example.org`",
            ),
            (
                vec![HERE],
                "missing_token",
                "no token: `TWENTY_APP_APPLICATION_ACCESS_TOKEN`, `TWENTY_API_KEY` and `TWENTY_APP_ACCESS_TOKEN` are not set",
            ),
            (
                vec![HERE, (API_KEY, "k"), (RATE, "fast")],
                "invalid_rate",
                "`ROLLUP_ENGINE_REQUESTS_PER_MINUTE` is `fast`, expected a whole number from 1, or `off`",
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
}
