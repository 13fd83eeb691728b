//! What the server says when it refuses: one value, written as the REST envelope or as a GraphQL error.
//!
//! Texts and class names are those of the recorded version; newer class names are chosen by the profile when the
//! envelope is written. It decides nothing itself.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::profile::Profile;

/// A refused request
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    /// HTTP status over REST
    pub(crate) status: u16,
    /// `error` of the REST envelope
    pub(crate) class: &'static str,
    /// Text
    pub(crate) message: String,
    /// `code` of the REST envelope, where the server sends one
    pub(crate) code: Option<&'static str>,
    /// `extensions.code` over GraphQL
    pub(crate) graphql: &'static str,
    /// `extensions.subCode` over GraphQL
    pub(crate) sub_code: Option<&'static str>,
    /// What few refusals have
    pub(crate) more: Option<Box<More>>,
}

/// What few refusals have
#[derive(Clone, Debug, Default)]
pub(crate) struct More {
    /// Further members of `extensions` over GraphQL
    extensions: Vec<(&'static str, Value)>,
    /// The whole REST body, where it has another shape
    body: Option<Value>,
    /// Headers beside the REST body
    headers: Vec<(&'static str, String)>,
}

impl ApiError {
    fn new(status: u16, class: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            class,
            message: message.into(),
            code: None,
            graphql: "BAD_USER_INPUT",
            sub_code: None,
            more: None,
        }
    }

    fn more(&mut self) -> &mut More {
        self.more.get_or_insert_default()
    }

    /// The same, with a REST body of another shape
    pub(crate) fn with_body(mut self, body: Value) -> Self {
        self.more().body = Some(body);
        self
    }

    /// The same, with a further member of `extensions` over GraphQL
    pub(crate) fn with_extension(mut self, name: &'static str, value: Value) -> Self {
        self.more().extensions.push((name, value));
        self
    }

    /// The same, with a header beside the REST body
    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.more().headers.push((name, value));
        self
    }

    /// Headers beside the REST body
    pub(crate) fn headers(&self) -> &[(&'static str, String)] {
        self.more.as_ref().map(|more| more.headers.as_slice()).unwrap_or_default()
    }

    /// Bad input, as most checks report it
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequestException", message)
    }

    /// Bad input in a filter
    pub(crate) fn filter(message: impl Into<String>) -> Self {
        Self { sub_code: Some("INVALID_ARGS_FILTER"), ..Self::bad(message) }
    }

    /// Bad input in a record's values
    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self { sub_code: Some("INVALID_ARGS_DATA"), ..Self::bad(message) }
    }

    /// An exception with a code of its own
    pub(crate) fn coded(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), sub_code: Some(code), ..Self::new(400, "Error", message) }
    }

    /// An error of the database, which reaches the caller with its own text
    pub(crate) fn database(message: impl Into<String>) -> Self {
        Self { graphql: "INTERNAL_SERVER_ERROR", ..Self::bad(message) }
    }

    /// Another exception class with status 400
    pub(crate) fn thrown(class: &'static str, message: impl Into<String>) -> Self {
        Self::new(400, class, message)
    }

    /// No such record
    pub(crate) fn not_found() -> Self {
        Self {
            graphql: "NOT_FOUND",
            sub_code: Some("RECORD_NOT_FOUND"),
            ..Self::new(404, "NotFoundException", "Record not found")
        }
    }

    /// The role may not do this
    pub(crate) fn forbidden() -> Self {
        Self {
            graphql: "FORBIDDEN",
            ..Self::coded("PERMISSION_DENIED", "Entity performing the request does not have permission")
        }
    }

    /// A unique value is taken; a record is named for a unique field, and none for an id
    pub(crate) fn duplicate(taken_by: Option<(Uuid, &str)>) -> Self {
        let error = Self::bad("A duplicate entry was detected");
        match taken_by {
            None => error,
            Some((id, object)) => error
                .with_extension("conflictingRecordId", json!(id))
                .with_extension("conflictingObjectNameSingular", json!(object)),
        }
    }

    /// More records than one call may touch
    pub(crate) fn too_many(most: usize) -> Self {
        Self {
            sub_code: None,
            ..Self::coded("TOO_MANY_RECORDS_TO_UPDATE", format!("Cannot update more than {most} records at once"))
        }
    }

    /// A body that is not JSON, or a route that does not exist: the web framework's own envelope
    pub(crate) fn framework(status: u16, name: &str, message: &Value) -> Self {
        let body = json!({"message": message, "error": name, "statusCode": status});
        Self::new(status, "Error", "").with_body(body)
    }

    /// A rejected change of the schema
    pub(crate) fn metadata(message: impl Into<String>) -> Self {
        let message = message.into();
        let errors = json!({"fieldMetadata": [{"errors": [{"message": message}]}]});
        let body = json!({
            "statusCode": 400,
            "error": "METADATA_VALIDATION_ERROR",
            "message": "Validation errors occurred while syncing the schema",
            "errors": errors,
        });
        Self::new(400, "Error", message).with_body(body)
    }

    /// Something of the schema that does not exist
    pub(crate) fn unknown_metadata(code: &'static str, message: &'static str) -> Self {
        Self { status: 404, ..Self::coded(code, message) }
    }

    /// The body of the REST answer
    pub(crate) fn rest(&self, profile: Profile) -> Value {
        if let Some(body) = self.more.as_ref().and_then(|more| more.body.clone()) {
            return body;
        }
        let class = match profile {
            Profile::V1 => self.class,
            Profile::V2 => class_of_status(self.status, self.class),
        };
        let mut body = json!({"statusCode": self.status, "error": class, "messages": [self.message]});
        if let (Some(code), Some(object)) = (self.code, body.as_object_mut()) {
            object.insert("code".into(), json!(code));
        }
        body
    }

    /// One member of a GraphQL answer's `errors`
    pub(crate) fn graphql(&self) -> Value {
        let mut extensions = serde_json::Map::new();
        for (name, value) in self.more.iter().flat_map(|more| &more.extensions) {
            extensions.insert((*name).to_owned(), value.clone());
        }
        if let Some(sub_code) = self.sub_code {
            extensions.insert("subCode".into(), json!(sub_code));
        }
        extensions.insert("userFriendlyMessage".into(), json!(self.message));
        extensions.insert("code".into(), json!(self.graphql));
        json!({"message": self.message, "extensions": extensions})
    }
}

/// Newer servers name the exception by the status alone.
fn class_of_status(status: u16, otherwise: &'static str) -> &'static str {
    match status {
        400 => "BadRequestException",
        403 => "ForbiddenException",
        404 => "NotFoundException",
        409 => "ConflictException",
        429 => "TooManyRequestsException",
        500 => "InternalServerErrorException",
        _ => otherwise,
    }
}
