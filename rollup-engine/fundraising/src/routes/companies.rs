//! Routes of companies.

use twenty::Host;

use super::{Ask, Reply};
use crate::failure::Failure;
use crate::scope::Scope;

/// Stub
///
/// # Errors
/// Always.
pub async fn search<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}
