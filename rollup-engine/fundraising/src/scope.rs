//! One request's way to Twenty.

use std::time::Duration;

use serde_json::Value;
use twenty::gate::Priority;
use twenty::{Event, Host, Level, Method, Request};
use uuid::{Builder, Uuid};

use crate::failure::Failure;
use crate::proxy::Proxy;

/// One request's context
#[derive(Debug)]
pub struct Scope<'a, H> {
    /// The process
    pub proxy: &'a Proxy,
    /// The outside
    pub host: &'a H,
    /// Its id
    pub request_id: String,
    /// The caller's token
    pub token: Option<String>,
    /// How urgent it is
    pub priority: Priority,
}

impl<H: Host> Scope<'_, H> {
    /// Calls Twenty
    ///
    /// # Errors
    /// Whatever goes wrong.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let mut attempt = 0_u64;
        loop {
            attempt += 1;
            let request = Request {
                method,
                url: format!("{}{path}", self.proxy.settings.base_url),
                headers: vec![
                    ("authorization".into(), format!("Bearer {}", self.token.as_deref().unwrap_or_default())),
                    ("content-type".into(), "application/json".into()),
                ],
                body: body.map(|body| body.to_string().into_bytes()),
                timeout: Duration::from_secs(15),
            };
            let answer = self.host.fetch(request).await;
            let again = match &answer {
                Ok(answer) => matches!(answer.status, 429 | 500..=599),
                Err(_) => true,
            };
            if again && attempt < 3 {
                self.host.sleep(Duration::from_millis(250 * attempt)).await;
                continue;
            }
            let answer = answer.map_err(|_| Failure::Unreachable)?;
            let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if answer.status < 300 {
                return Ok(value);
            }
            let messages = value.get("messages").and_then(Value::as_array).into_iter().flatten();
            let messages = messages.filter_map(|text| text.as_str().map(str::to_owned)).collect();
            return Err(Failure::Upstream { status: answer.status, messages, retry_after: None });
        }
    }

    /// Writes a log line
    pub fn log(&self, level: Level, event: &'static str, fields: &[(&'static str, Value)]) {
        let line = Event { level, event, fields: fields.to_vec() };
        self.host.log(line.with("requestId", self.request_id.as_str()));
    }

    /// An id that nothing else has
    #[must_use]
    pub fn new_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        let random = [self.proxy.draw(), self.host.now().as_millis().unsigned_abs()];
        for (byte, part) in bytes.iter_mut().zip(random.iter().flat_map(|part| part.to_be_bytes())) {
            *byte = part;
        }
        Builder::from_random_bytes(bytes).into_uuid()
    }
}
