//! Webhook subscriptions, and the calls that they cause.
//!
//! The calls are only queued here, signed and ready; sending them, once and never again, is the HTTP server's part.

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::cell::time_text;

/// One subscription
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) id: Uuid,
    pub(crate) target_url: String,
    pub(crate) operations: Vec<String>,
    pub(crate) description: Option<String>,
    pub(crate) secret: String,
}

impl Hook {
    /// As the API shows it, the secret in clear
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "targetUrl": self.target_url,
            "operations": self.operations,
            "description": self.description,
            "secret": self.secret,
        })
    }

    /// Whether it is for events of this name
    pub(crate) fn wants(&self, event: &str) -> bool {
        let (object, operation) = event.split_once('.').unwrap_or((event, ""));
        self.operations.iter().any(|wanted| {
            let (wanted_object, wanted_operation) = wanted.split_once('.').unwrap_or((wanted, "*"));
            (wanted_object == "*" || wanted_object == object)
                && (wanted_operation == "*" || wanted_operation == operation)
        })
    }

    /// The call about an event, signed if the subscription has a secret; `nonce` is for the signature.
    pub(crate) fn delivery(&self, notice: &Notice<'_>, nonce: String) -> Delivery {
        let mut body = json!({
            "targetUrl": self.target_url,
            "eventName": notice.event,
            "objectMetadata": notice.object_metadata,
            "workspaceId": notice.workspace,
            "webhookId": self.id,
            "eventDate": time_text(notice.now),
            "record": notice.record,
        });
        if let (Some(fields), Some(members)) = (notice.updated_fields, body.as_object_mut()) {
            members.insert("updatedFields".into(), json!(fields));
        }
        let body = body.to_string();
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if self.is_signed() {
            headers.push(("x-twenty-webhook-timestamp".to_owned(), notice.now.to_string()));
            headers.push(("x-twenty-webhook-signature".to_owned(), signature(&self.secret, notice.now, &body)));
            headers.push(("x-twenty-webhook-nonce".to_owned(), nonce));
        }
        Delivery { url: self.target_url.clone(), headers, body }
    }

    /// Whether its calls are signed
    pub(crate) fn is_signed(&self) -> bool {
        !self.secret.is_empty()
    }
}

/// An event, as the subscriptions are told of it
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice<'a> {
    pub(crate) workspace: Uuid,
    /// Object and operation: `gift.updated`
    pub(crate) event: &'a str,
    pub(crate) object_metadata: &'a Value,
    pub(crate) record: &'a Value,
    pub(crate) updated_fields: Option<&'a [String]>,
    pub(crate) now: i64,
}

/// One call to be made
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where to
    pub url: String,
    /// Header names in lower case, with their values
    pub headers: Vec<(String, String)>,
    /// Body
    pub body: String,
}

/// HMAC-SHA256 of `timestamp:body`, in hex
fn signature(secret: &str, timestamp: i64, body: &str) -> String {
    match Hmac::<Sha256>::new_from_slice(secret.as_bytes()) {
        Ok(mut mac) => {
            mac.update(format!("{timestamp}:{body}").as_bytes());
            hex::encode(mac.finalize().into_bytes())
        }
        Err(_) => String::new(), // NOTE: HMAC takes keys of any length, so this does not happen.
    }
}
