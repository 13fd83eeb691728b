//! Webhook subscriptions, and the calls that they cause.
//!
//! The calls are only queued here, signed and ready; sending them, once and never again, is the HTTP server's part.

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::cell::time_text;
use crate::workspace::Workspace;

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

    fn wants(&self, event: &str) -> bool {
        let (object, operation) = event.split_once('.').unwrap_or((event, ""));
        self.operations.iter().any(|wanted| {
            let (wanted_object, wanted_operation) = wanted.split_once('.').unwrap_or((wanted, "*"));
            (wanted_object == "*" || wanted_object == object)
                && (wanted_operation == "*" || wanted_operation == operation)
        })
    }
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

/// Queues the calls for one event.
pub(crate) fn queue(
    workspace: &mut Workspace,
    event: &str,
    object_metadata: &Value,
    record: &Value,
    updated_fields: Option<&[String]>,
    now: i64,
) {
    let hooks: Vec<Hook> = workspace.hooks.iter().filter(|hook| hook.wants(event)).cloned().collect();
    for hook in hooks {
        let mut body = json!({
            "targetUrl": hook.target_url,
            "eventName": event,
            "objectMetadata": object_metadata,
            "workspaceId": workspace.id,
            "webhookId": hook.id,
            "eventDate": time_text(now),
            "record": record,
        });
        if let (Some(fields), Some(members)) = (updated_fields, body.as_object_mut()) {
            members.insert("updatedFields".into(), json!(fields));
        }
        let body = body.to_string();
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if !hook.secret.is_empty() {
            let nonce = workspace.new_hex(16);
            headers.push(("x-twenty-webhook-timestamp".to_owned(), now.to_string()));
            headers.push(("x-twenty-webhook-signature".to_owned(), signature(&hook.secret, now, &body)));
            headers.push(("x-twenty-webhook-nonce".to_owned(), nonce));
        }
        workspace.outbox.push(Delivery { url: hook.target_url, headers, body });
    }
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
