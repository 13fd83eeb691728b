//! What becomes of amounts in several currencies, and what one currency is worth in another.

use ports::time::parse_date;
use serde_json::{Map, Value as Json};
use twenty::decimal::Decimal;
use twenty::value::Value;

use super::super::fault::{Fault, but, shown};
use super::super::model::{MixedCurrency, Rate, Rates};
use super::super::reader::{Reader, stated};
use super::super::words::Policy;

/// Keys of the rates, and of one with a date
pub(crate) const RATES_KEYS: [&str; 2] = ["base", "codes"];
pub(crate) const RATE_KEYS: [&str; 2] = ["from", "rate"];

/// What is said of money, here or further out
#[derive(Clone, Debug, Default)]
pub(super) struct Money {
    policy: Option<Policy>,
    currency: Option<String>,
    /// Path of the day whose rate is used
    pub(super) rate_date_field: Option<String>,
    /// Whether the configuration has rates
    has_rates: bool,
}

impl Money {
    pub(super) fn with_rates(has_rates: bool) -> Self {
        Self { has_rates, ..Self::default() }
    }

    /// What holds within an object: what it says itself, and what was said further out
    ///
    /// `inner_needs` is whether something within it names a policy that a currency here may be meant for.
    pub(super) fn within(&self, reader: &mut Reader<'_>, object: &Map<String, Json>, inner_needs: bool) -> Self {
        let before = reader.fault_count();
        let policy = reader.optional_choice(object, "mixedCurrency", &Policy::ALL);
        let currency = reader.code(object, "currency");
        let rate_date_field = reader.optional_path(object, "rateDateField");
        let money = Self {
            policy: policy.or(self.policy),
            currency: currency.clone().or_else(|| self.currency.clone()),
            rate_date_field: rate_date_field.or_else(|| self.rate_date_field.clone()),
            has_rates: self.has_rates,
        };
        if reader.fault_count() > before {
            return money;
        }
        let needs = |policy: Option<Policy>| policy.filter(|policy| policy.needs_currency());
        if let Some(policy) = needs(policy) {
            let name = policy.name();
            if money.currency.is_none() {
                reader.fault("mixedCurrency", format!("`{name}` needs a `currency`, such as `GBP`"));
            }
            if policy == Policy::Convert && !self.has_rates {
                reader.fault("mixedCurrency", format!("`{name}` needs the `rates` of the configuration"));
            }
        }
        if currency.is_some() && needs(money.policy).is_none() && !inner_needs {
            reader.fault("currency", "goes with a `mixedCurrency` of `only` or `convert`, which is missing");
        }
        money
    }

    /// What becomes of amounts in several currencies
    pub(super) fn policy(&self) -> MixedCurrency {
        let currency = self.currency.clone().unwrap_or_default();
        match self.policy {
            None | Some(Policy::Leave) => MixedCurrency::Leave,
            Some(Policy::Clear) => MixedCurrency::Clear,
            Some(Policy::Only) => MixedCurrency::Only(currency),
            Some(Policy::Convert) => MixedCurrency::Convert(currency),
        }
    }
}

/// Whether an object, or one in the list at a key of it, names a policy that needs a currency
pub(super) fn names_currency_policy(object: &Map<String, Json>, lists: &[&str]) -> bool {
    let own = object.get("mixedCurrency").and_then(Json::as_str);
    Policy::ALL.iter().any(|(name, policy)| policy.needs_currency() && own == Some(*name))
        || lists.split_first().is_some_and(|(key, deeper)| {
            let list = object.get(*key).and_then(Json::as_array);
            list.into_iter().flatten().filter_map(Json::as_object).any(|object| names_currency_policy(object, deeper))
        })
}

/// Reads the `rates` of a configuration
pub(super) fn read_rates(config: &Map<String, Json>, faults: &mut Vec<Fault>) -> Option<Rates> {
    let json = stated(config, "rates")?;
    let mut reader = Reader::new("rates", faults);
    let object = reader.object(json, &RATES_KEYS)?;
    let base = match stated(object, "base") {
        Some(_) => reader.code(object, "base"),
        None => reader.refuse("base", "missing, expected the code of the currency that all others are measured in"),
    };
    let Some(Json::Object(codes)) = object.get("codes") else {
        let found = object.get("codes");
        reader.fault("codes", format!("expected an object of rates by the code of their currency, {}", but(found)));
        return None;
    };
    let mut reader = reader.inside("codes");
    let mut read = Vec::new();
    for (code, json) in codes {
        reader.as_code(code, code);
        if base.as_ref() == Some(code) {
            reader.fault(code, "is the base, which has the rate 1");
        }
        read.push((code.clone(), rates_of_code(&mut reader, code, json)));
    }
    Some(Rates { base: base?, codes: read })
}

/// One rate, or a list of them with the days that they hold from
fn rates_of_code(reader: &mut Reader<'_>, code: &str, json: &Json) -> Vec<Rate> {
    let list = match json {
        Json::Array(list) if !list.is_empty() => list,
        Json::String(_) | Json::Number(_) => {
            return rate(reader, code, json).map(|rate| Rate { from: None, rate }).into_iter().collect();
        }
        _ => {
            reader.fault(code, format!("expected a rate, or a list of rates, {}", but(Some(json))));
            return Vec::new();
        }
    };
    let mut rates: Vec<Rate> = Vec::new();
    for (index, json) in list.iter().enumerate() {
        let mut reader = reader.inside(&format!("{code} {index}"));
        let Some(object) = reader.object(json, &RATE_KEYS) else { continue };
        let from = reader.optional_text(object, "from").map(str::to_owned);
        if let Some(from) = from.as_deref().filter(|from| parse_date(from).is_none()) {
            reader.fault("from", format!("`{from}` is no day, expected such as `2026-04-01`"));
        }
        if rates.iter().any(|other| other.from == from) {
            let message = from
                .as_ref()
                .map_or("a second rate without a day".to_owned(), |from| format!("a second rate from `{from}`"));
            reader.fault("from", message);
        }
        let rate = match object.get("rate") {
            Some(json) => rate(&mut reader, "rate", json),
            None => {
                reader.refuse("rate", "missing, expected the worth of one unit in the base currency, such as `0.86`")
            }
        };
        if let Some(rate) = rate {
            rates.push(Rate { from, rate });
        }
    }
    rates.sort_by(|one, other| one.from.cmp(&other.from));
    rates
}

fn rate(reader: &mut Reader<'_>, key: &str, json: &Json) -> Option<Decimal> {
    let rate = Value::from(json).number().filter(|rate| *rate > Decimal::ZERO);
    if rate.is_none() {
        reader.fault(key, format!("found {}, expected a number above zero, such as `0.86`", shown(json)));
    }
    rate
}

/// Reads `perCurrency`: the fields, each with the code of its currency
pub(super) fn per_currency(reader: &mut Reader<'_>, object: &Map<String, Json>) -> Vec<(String, String)> {
    let key = "perCurrency";
    let Some(json) = stated(object, key) else { return Vec::new() };
    let Some(fields) = json.as_object().filter(|fields| !fields.is_empty()) else {
        reader.fault(key, format!("expected an object of fields by the code of their currency, {}", but(Some(json))));
        return Vec::new();
    };
    if stated(object, "currencyField").is_none() {
        reader.fault(key, "needs a `currencyField`, the path of the code of each amount");
    }
    for policy in ["mixedCurrency", "currency"] {
        if stated(object, policy).is_some() {
            reader.fault(policy, format!("does not go with `{key}`, each field of which has its own currency"));
        }
    }
    let mut reader = reader.inside(key);
    let mut read = Vec::new();
    for (code, json) in fields {
        let code = reader.as_code(code, code);
        let field = match (&code, json.as_str()) {
            (Some(code), Some(field)) => reader.as_name(code, field),
            (Some(code), None) => {
                reader.refuse(code, format!("expected the field that receives it, {}", but(Some(json))))
            }
            (None, _) => None,
        };
        read.extend(code.zip(field));
    }
    read
}
