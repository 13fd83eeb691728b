//! Routes of households.

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
pub async fn members<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}

/// Stub
///
/// # Errors
/// Always.
pub async fn add_member<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}

/// Stub
///
/// # Errors
/// Always.
pub async fn remove_member<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}

/// Stub
///
/// # Errors
/// Always.
pub async fn copy_address<H: Host>(_scope: &Scope<'_, H>, ask: &Ask<'_>) -> Result<Reply, Failure> {
    Err(super::unknown(ask.inbound))
}
