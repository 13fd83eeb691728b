//! The log: structured lines, and who writes them.

use serde::ser::SerializeMap as _;

/// How much a log line matters
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Every single step
    Debug,
    /// Progress
    Info,
    /// Something was left out or went wrong, and the run goes on
    Warn,
    /// The run, or a part of it, failed
    Error,
}

impl Level {
    /// The level of this name: `debug`, `info`, `warn` or `error`
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(ports::Level::parse("Warn"), Some(ports::Level::Warn));
    /// assert_eq!(ports::Level::parse("loud"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "debug" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "warn" => Some(Self::Warn),
            "error" => Some(Self::Error),
            _ => None,
        }
    }
}

/// One structured log line
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// How much it matters
    pub level: Level,
    /// What happened, in `snake_case`
    pub event: &'static str,
    /// Its particulars; never a token, never personal data
    pub fields: Vec<(&'static str, serde_json::Value)>,
}

impl Event {
    /// A line of this level and name, with no particulars yet
    ///
    /// # Examples
    ///
    /// ```
    /// use ports::{Event, Level};
    ///
    /// let event = Event::new(Level::Warn, "request_retried").with("attempt", 2);
    /// assert_eq!(serde_json::to_string(&event)?, r#"{"level":"warn","event":"request_retried","attempt":2}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn new(level: Level, event: &'static str) -> Self {
        Self { level, event, fields: Vec::new() }
    }

    /// The same line with one more particular
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// One of its particulars
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&serde_json::Value> {
        self.fields.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }
}

impl serde::Serialize for Event {
    /// One flat object: `{"level":…,"event":…,` and the particulars `}`
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len() + 2))?;
        map.serialize_entry("level", &self.level)?;
        map.serialize_entry("event", self.event)?;
        for (name, value) in &self.fields {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Writes log lines
pub trait Log {
    /// Writes one line.
    fn log(&self, event: Event);
}

impl<T: Log + ?Sized> Log for &T {
    fn log(&self, event: Event) {
        (**self).log(event);
    }
}
