//! `POST /webhooks/gocardless`.

use serde_json::Value;
use twenty::Host;

use super::{Ask, Reply};
use crate::failure::Failure;
use crate::scope::Scope;

/// Takes in what the provider says.
///
/// # Errors
/// Whatever keeps it from being taken in; the provider then comes again.
pub async fn receive<H: Host>(scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    let _ = (scope, ask);
    Ok((204, Value::Null))
}
