//! Intake sources whose gifts need no staging.

use twenty::setting;

/// Largest limit of a source, in units of its currency
pub(super) const MAX_BYPASS_UNITS: i64 = i64::MAX / MICROS;
/// Micros in a unit of a currency
const MICROS: i64 = 1_000_000;

/// A source whose gifts may bypass staging
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bypass {
    /// The intake source, in lower case
    pub source: String,
    /// The largest amount, in micros; nothing for any amount
    pub at_most: Option<i64>,
}

impl Bypass {
    /// Reads entries such as `source` or `source:500`, separated by commas; the amount is in whole units of its currency
    pub(super) fn read_list(text: &str) -> Option<Vec<Self>> {
        let mut list: Vec<Self> = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let bypass = Self::read(entry)?;
            // Of two limits of one source only one can be meant.
            if list.iter().any(|other| other.source == bypass.source) {
                return None;
            }
            list.push(bypass);
        }
        Some(list)
    }

    fn read(entry: &str) -> Option<Self> {
        let (source, limit) = match entry.split_once(':') {
            Some((source, limit)) => (source.trim(), Some(limit.trim())),
            None => (entry, None),
        };
        let at_most = match limit {
            Some(limit) => {
                let units = i64::try_from(setting::whole_number(limit)?).ok()?;
                Some(units).filter(|units| (1..=MAX_BYPASS_UNITS).contains(units))?.checked_mul(MICROS)
            }
            None => None,
        };
        let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | '/');
        let fits = !source.is_empty() && source.chars().all(is_word);
        fits.then(|| Self { source: source.to_ascii_lowercase(), at_most })
    }
}
