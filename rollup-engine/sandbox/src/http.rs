//! The outside of a request and of an answer: paths, parameters, JSON bodies, headers.

use std::hash::{DefaultHasher, Hash, Hasher};

use percent_encoding::percent_decode_str;
use ports::{Request, Response};
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::profile::Profile;

/// Rows of a page at most
const MAX_PAGE: usize = 200;

/// A path and its parameters, decoded
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) path: String,
    params: Vec<(String, String)>,
}

impl Target {
    /// Takes the URL apart; scheme and host do not matter.
    pub(crate) fn of(url: &str) -> Self {
        let rest =
            url.split_once("://").map_or(url, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Self {
            path: percent_decode_str(path).decode_utf8_lossy().into_owned(),
            params: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        }
    }

    /// A parameter. One that is repeated becomes a list, which the server then ignores.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let mut values = self.params.iter().filter(|(key, _)| key == name);
        let first = values.next()?;
        if values.next().is_some() { None } else { Some(&first.1) }
    }

    /// The `limit` parameter: cut to what a page may hold, a fraction rounded up
    pub(crate) fn limit(&self, default: usize) -> Result<usize, ApiError> {
        let Some(text) = self.param("limit") else { return Ok(default) };
        let invalid = || ApiError::bad(format!("limit '{text}' is invalid. Should be an integer"));
        let number = if text.is_empty() { 0.0 } else { text.parse::<f64>().map_err(|_| invalid())? };
        if number.is_nan() || number < 0.0 {
            return Err(invalid());
        }
        Ok((0..MAX_PAGE)
            .find(|whole| number <= f64::from(u32::try_from(*whole).unwrap_or(u32::MAX)))
            .unwrap_or(MAX_PAGE))
    }

    /// Parts of the path, empty ones left out
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }
}

/// The body as JSON; an absent or empty one is an empty object
pub(crate) fn json_body(request: &Request) -> Result<Value, ApiError> {
    match request.body.as_deref() {
        None | Some([]) => Ok(Value::Object(serde_json::Map::new())),
        Some(bytes) => serde_json::from_slice(bytes)
            .map_err(|error| ApiError::framework(400, "Bad Request", &Value::from(error.to_string()))),
    }
}

/// A text member that is not empty
pub(crate) fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The framework's list of everything that is not there
pub(crate) fn require(body: &Value, names: &[&str]) -> Result<(), ApiError> {
    let missing: Vec<Value> = names
        .iter()
        .filter(|name| text(body, name).is_none())
        .flat_map(|name| [json!(format!("{name} should not be empty")), json!(format!("{name} must be a string"))])
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(ApiError::framework(400, "Bad Request", &json!(missing))) }
}

/// An answer with a JSON text
pub(crate) fn json(status: u16, body: String) -> Response {
    Response {
        status,
        headers: vec![("content-type".into(), "application/json; charset=utf-8".into())],
        body: body.into_bytes(),
    }
}

/// The answer that a error makes over REST
pub(crate) fn error(error: &ApiError, profile: Profile) -> Response {
    let mut response = json(error.status, error.rest(profile).to_string());
    response.headers.extend(error.headers().iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    response
}

/// Adds the `ETag`, and leaves the body out where the caller has it already.
pub(crate) fn with_etag(request: &Request, mut response: Response) -> Response {
    let mut hasher = DefaultHasher::new();
    response.body.hash(&mut hasher);
    let etag = format!("W/\"{:x}-{:x}\"", response.body.len(), hasher.finish());
    if request.header("if-none-match") == Some(&etag) {
        response.status = 304;
        response.body.clear();
    }
    response.headers.push(("etag".into(), etag));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_no_parameter() {
        let target = Target::of("http://twenty.test/rest/gifts/?filter=a&filter=b&limit=2&name=a+b%2B");
        assert_eq!(target.param("filter"), None);
        assert_eq!(target.param("limit"), Some("2"));
        assert_eq!(target.param("name"), Some("a b+"));
        assert_eq!(target.segments(), ["rest", "gifts"]);
        assert_eq!(Target::of("http://twenty.test").path, "/");
    }
}
