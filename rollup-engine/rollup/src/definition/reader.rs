//! Reading one JSON object, with everything that is wrong with it.

use serde_json::{Map, Value as Json};

use super::fault::{Fault, but, hint, shown};

/// Relations that a path may lead through
const MAX_RELATIONS: usize = 3;
/// Behind its relations a path names a field, and perhaps a part of it
const MAX_NAMES: usize = MAX_RELATIONS + 2;

/// One JSON object being read: what is wrong with it is noted with its place
pub(super) struct Reader<'a> {
    place: String,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(place: impl Into<String>, faults: &'a mut Vec<Fault>) -> Self {
        Self { place: place.into(), faults }
    }

    /// What was found so far, here and before
    pub(super) fn fault_count(&self) -> usize {
        self.faults.len()
    }

    pub(super) fn fault(&mut self, key: &str, message: impl Into<String>) {
        let place = self.within(key);
        self.faults.push(Fault::new(place, message));
    }

    /// Notes what is wrong, in place of what was to be read
    pub(super) fn refuse<T>(&mut self, key: &str, message: impl Into<String>) -> Option<T> {
        self.fault(key, message);
        None
    }

    /// Notes what is wrong somewhere else
    pub(super) fn fault_at(&mut self, place: String, message: String) {
        self.faults.push(Fault::new(place, message));
    }

    /// The place of something within: the object itself, where the key is empty
    pub(super) fn within(&self, key: &str) -> String {
        match (self.place.as_str(), key) {
            ("", key) => key.to_owned(),
            (place, "") => place.to_owned(),
            (place, key) => format!("{place}, {key}"),
        }
    }

    pub(super) fn inside(&mut self, place: &str) -> Reader<'_> {
        Reader { place: self.within(place), faults: self.faults }
    }

    /// The object, whose keys are to be among these
    pub(super) fn object<'j>(&mut self, json: &'j Json, keys: &[&str]) -> Option<&'j Map<String, Json>> {
        let Some(object) = json.as_object() else {
            self.fault("", format!("expected an object, {}", but(Some(json))));
            return None;
        };
        for key in object.keys().filter(|key| !keys.contains(&key.as_str())) {
            let named = if key.is_empty() { "\"\"" } else { key };
            self.fault(named, format!("unknown key, {}", hint(key, keys)));
        }
        Some(object)
    }

    /// The name of an object or of a field
    pub(super) fn name(&mut self, object: &Map<String, Json>, key: &str) -> Option<String> {
        let text = self.text(object, key)?;
        self.as_name(key, text)
    }

    pub(super) fn as_name(&mut self, key: &str, text: &str) -> Option<String> {
        if is_name(text) {
            return Some(text.to_owned());
        }
        self.fault(key, format!("`{text}` is no name: expected letters and digits, beginning with a letter"));
        None
    }

    /// The path of a value: names joined by points
    pub(super) fn path(&mut self, object: &Map<String, Json>, key: &str) -> Option<String> {
        let text = self.text(object, key)?;
        self.as_path(key, text, MAX_NAMES)
    }

    /// The path of a parent's id: at most three relations and the field
    pub(super) fn relation_path(&mut self, object: &Map<String, Json>, key: &str) -> Option<String> {
        let text = self.text(object, key)?;
        self.as_path(key, text, MAX_RELATIONS + 1)
    }

    fn as_path(&mut self, key: &str, text: &str, most: usize) -> Option<String> {
        match path_fault(text, most) {
            None => return Some(text.to_owned()),
            Some(message) => self.fault(key, message),
        }
        None
    }

    /// Like `path`; nothing where there is none, and a wrong one is noted
    pub(super) fn optional_path(&mut self, object: &Map<String, Json>, key: &str) -> Option<String> {
        stated(object, key)?;
        self.path(object, key)
    }

    /// A path, or a list of paths; none where there is none
    pub(super) fn paths(&mut self, object: &Map<String, Json>, key: &str) -> Vec<String> {
        match stated(object, key) {
            None => Vec::new(),
            Some(Json::Array(list)) if !list.is_empty() => {
                let mut paths = Vec::new();
                for (index, json) in list.iter().enumerate() {
                    let place = format!("{key} {index}");
                    match json.as_str() {
                        Some(text) => paths.extend(self.as_path(&place, text, MAX_NAMES)),
                        None => self.fault(&place, format!("expected a path, {}", but(Some(json)))),
                    }
                }
                paths
            }
            Some(Json::String(_)) => self.path(object, key).into_iter().collect(),
            found => {
                self.fault(key, format!("expected a path or a list of paths, {}", but(found)));
                Vec::new()
            }
        }
    }

    pub(super) fn text<'j>(&mut self, object: &'j Map<String, Json>, key: &str) -> Option<&'j str> {
        match object.get(key) {
            Some(Json::String(text)) if !text.is_empty() => Some(text),
            found => self.refuse(key, format!("expected a text, {}", but(found))),
        }
    }

    pub(super) fn optional_text<'j>(&mut self, object: &'j Map<String, Json>, key: &str) -> Option<&'j str> {
        stated(object, key)?;
        self.text(object, key)
    }

    /// One of several words
    pub(super) fn choice<T: Copy>(&mut self, object: &Map<String, Json>, key: &str, all: &[(&str, T)]) -> Option<T> {
        let text = self.text(object, key)?;
        let chosen = all.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            self.fault(key, format!("unknown `{text}`, {}", hint(text, &names)));
        }
        chosen
    }

    pub(super) fn optional_choice<T: Copy>(
        &mut self,
        object: &Map<String, Json>,
        key: &str,
        all: &[(&str, T)],
    ) -> Option<T> {
        stated(object, key)?;
        self.choice(object, key, all)
    }

    /// A whole number between two
    pub(super) fn number<T: TryFrom<i64>>(
        &mut self,
        object: &Map<String, Json>,
        key: &str,
        (least, most): (i64, i64),
    ) -> Option<T> {
        let json = stated(object, key)?;
        let number = whole_number(json).filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.fault(key, format!("found {}, expected a whole number from {least} to {most}", shown(json)));
        }
        number.and_then(|number| T::try_from(number).ok())
    }

    /// True or false; false where there is neither
    pub(super) fn flag(&mut self, object: &Map<String, Json>, key: &str) -> bool {
        let Some(json) = stated(object, key) else { return false };
        if !json.is_boolean() {
            self.fault(key, format!("expected true or false, {}", but(Some(json))));
        }
        json.as_bool().unwrap_or_default()
    }

    /// The code of a currency
    pub(super) fn code(&mut self, object: &Map<String, Json>, key: &str) -> Option<String> {
        let text = self.optional_text(object, key)?;
        self.as_code(key, text)
    }

    pub(super) fn as_code(&mut self, key: &str, text: &str) -> Option<String> {
        if text.len() == 3 && text.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return Some(text.to_owned());
        }
        self.fault(key, format!("`{text}` is no currency: expected the three letters of its code, such as `GBP`"));
        None
    }
}

/// What stands there, unless it is nothing
pub(super) fn stated<'j>(object: &'j Map<String, Json>, key: &str) -> Option<&'j Json> {
    object.get(key).filter(|json| !json.is_null())
}

/// A whole number, however it is written
pub(super) fn whole_number(json: &Json) -> Option<i64> {
    /// Beyond this not every whole number is a double
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() <= MAX_EXACT).then_some(number as i64);
    json.as_i64().or_else(|| json.as_f64().and_then(whole))
}

pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// What is wrong with the path of a value
pub(super) fn path_fault(text: &str, most: usize) -> Option<String> {
    if !text.split('.').all(is_name) {
        return Some(format!("`{text}` is no path: expected names joined by points, such as `amount.currencyCode`"));
    }
    (text.split('.').count() > most)
        .then(|| format!("`{text}` is too long a path: expected at most {MAX_RELATIONS} relations before the field"))
}

/// What is wrong with the path of a value of the parent
pub(super) fn value_path_fault(text: &str) -> Option<String> {
    path_fault(text, MAX_NAMES)
}
