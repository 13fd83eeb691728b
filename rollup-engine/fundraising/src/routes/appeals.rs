//! Routes of appeals.

use twenty::Host;

use super::{Ask, Reply};
use crate::failure::Failure;
use crate::scope::Scope;

/// Stub
///
/// # Errors
/// Always.
pub async fn list<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}

/// Stub
///
/// # Errors
/// Always.
pub async fn create<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}

/// Stub
///
/// # Errors
/// Always.
pub async fn get<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}

/// Stub
///
/// # Errors
/// Always.
pub async fn update<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}

/// Stub
///
/// # Errors
/// Always.
pub async fn snapshots<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}

/// Stub
///
/// # Errors
/// Always.
pub async fn add_snapshot<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}
