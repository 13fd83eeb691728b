//! Values across the border, and the errors that a caller's mistake throws.
//!
//! Results leave by `serde-wasm-bindgen`. It refuses a sum of money past 2^53 micros, where `JSON.parse` gives the nearest
//! number: a result that has one goes by way of JSON text.
//!
//! What a caller hands in crosses as JSON text. `serde-wasm-bindgen` would walk the caller's own objects: a cyclic one
//! fills the stack, and a getter that throws flies through WebAssembly frames; either breaks the instance, where
//! `JSON.stringify` throws before anything is read. A date would come as an object without fields.
//!
//! A mistake is a real `Error` with a `code`; that `code` is also how the shim tells it from a broken engine, whose
//! errors have none.

use js_sys::{Error, Function, JSON, Object, Reflect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

/// An `Error` for a caller's mistake, with a stable `code`
#[must_use]
pub fn misuse(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    // A fresh error takes any property.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}

/// Plain JavaScript data as a Rust value
///
/// # Errors
///
/// An `Error` of the given code that says where the data does not fit.
pub fn from_js<T: DeserializeOwned>(value: &JsValue, code: &str, name: &str) -> Result<T, JsValue> {
    let text = stringify(value, code, name)?;
    serde_json::from_slice(text.as_bytes()).map_err(|error| misuse(code, &format!("{name}: {error}")))
}

/// A Rust value as plain objects, arrays, numbers and strings, as `JSON.parse` would give them
///
/// # Errors
///
/// The value cannot be said in JavaScript: a bug of the engine.
pub fn to_js<T: Serialize + ?Sized>(value: &T) -> Result<JsValue, JsValue> {
    if let Ok(value) = value.serialize(&Serializer::json_compatible()) {
        return Ok(value);
    }
    // A number past 2^53: `JSON.parse` takes the nearest that there is.
    let text = serde_json::to_string(value).map_err(|error| JsValue::from(Error::new(&error.to_string())))?;
    JSON::parse(&text)
}

/// JavaScript data as JSON text; nothing at all counts as `null`
///
/// # Errors
///
/// An `Error` of the given code: the data is cyclic, or no JSON.
pub fn stringify(value: &JsValue, code: &str, name: &str) -> Result<String, JsValue> {
    if value.is_undefined() {
        return Ok("null".to_owned());
    }
    let text = JSON::stringify(value).ok().and_then(|text| text.as_string());
    text.ok_or_else(|| misuse(code, &format!("{name}: cannot be written as JSON")))
}

/// JSON bytes of an array of records, or of a text that already is JSON
///
/// # Errors
///
/// An `Error` of the given code: neither an array nor a text.
pub fn bytes(value: &JsValue, code: &str, name: &str) -> Result<Vec<u8>, JsValue> {
    if let Some(text) = value.as_string() {
        return Ok(text.into_bytes());
    }
    if !js_sys::Array::is_array(value) {
        return Err(misuse(code, &format!("{name}: expected an array or JSON text")));
    }
    stringify(value, code, name).map(String::into_bytes)
}

/// A number nobody can guess cheaply, to spread waiting times; not for secrets
#[must_use]
pub fn random_seed() -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 2^53")]
    let seed = (js_sys::Math::random() * 9_007_199_254_740_992.0) as u64;
    seed
}

/// An options object of the caller, read field by field
#[derive(Debug)]
pub struct Options {
    object: Object,
    code: &'static str,
    /// What stands before a field's name in messages
    within: &'static str,
}

impl Options {
    /// The object, or an empty one for `undefined` and `null`
    ///
    /// # Errors
    ///
    /// It is something else, or has a field that is not in `known`: a misspelt option must not pass in silence.
    pub fn new(value: &JsValue, known: &[&str], code: &'static str) -> Result<Self, JsValue> {
        let options = Self::open(value, code, "").ok_or_else(|| misuse(code, "options: expected an object"))?;
        for key in Object::keys(&options.object).iter() {
            let key = key.as_string().unwrap_or_default();
            if !known.contains(&key.as_str()) {
                let message = format!("options: unknown option `{key}`, expected one of {}", known.join(", "));
                return Err(misuse(code, &message));
            }
        }
        Ok(options)
    }

    /// An object among the options that may hold anything besides
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn inner(&self, name: &str, within: &'static str) -> Result<Self, JsValue> {
        let value = self.get(name)?.unwrap_or(JsValue::UNDEFINED);
        Self::open(&value, self.code, within).ok_or_else(|| self.expected(name, "an object"))
    }

    fn open(value: &JsValue, code: &'static str, within: &'static str) -> Option<Self> {
        let object = if value.is_undefined() || value.is_null() {
            Object::new()
        } else if value.is_object() && !js_sys::Array::is_array(value) {
            value.clone().unchecked_into()
        } else {
            return None;
        };
        Some(Self { object, code, within })
    }

    /// A field as it is; nothing if it is absent, `undefined` or `null`
    ///
    /// # Errors
    ///
    /// Reading it throws.
    pub fn get(&self, name: &str) -> Result<Option<JsValue>, JsValue> {
        let value = Reflect::get(&self.object, &name.into()).map_err(|_| self.expected(name, "readable"))?;
        Ok((!value.is_undefined() && !value.is_null()).then_some(value))
    }

    /// The names of its own fields
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        Object::keys(&self.object).iter().filter_map(|key| key.as_string()).collect()
    }

    /// A field that must be text
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn text(&self, name: &str) -> Result<Option<String>, JsValue> {
        self.get(name)?.map(|value| value.as_string().ok_or_else(|| self.expected(name, "a string"))).transpose()
    }

    /// A field that must be a finite number
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn number(&self, name: &str) -> Result<Option<f64>, JsValue> {
        let finite = |value: JsValue| value.as_f64().filter(|number| number.is_finite());
        self.get(name)?.map(|value| finite(value).ok_or_else(|| self.expected(name, "a number"))).transpose()
    }

    /// A field that must be a function
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn function(&self, name: &str) -> Result<Option<Function>, JsValue> {
        self.get(name)?.map(|value| value.dyn_into().map_err(|_| self.expected(name, "a function"))).transpose()
    }

    /// A field that must be there and be a function, bound to this object
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn method(&self, name: &str) -> Result<Function, JsValue> {
        let function = self.function(name)?.ok_or_else(|| self.expected(name, "a function"))?;
        Ok(function.bind0(&self.object))
    }

    /// The error for a field of the wrong kind
    #[must_use]
    pub fn expected(&self, name: &str, what: &str) -> JsValue {
        misuse(self.code, &format!("options: `{}{name}` must be {what}", self.within))
    }
}
