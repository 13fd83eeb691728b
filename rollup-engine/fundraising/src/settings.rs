//! How the service is set up.

use crate::receipt;

/// How the service is set up
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where Twenty's REST API is
    pub base_url: String,
    /// The service's own token
    pub api_key: Option<String>,
    /// Whether gifts are staged
    pub staging: bool,
    /// Whether a gift processes itself if its request does not say
    pub auto_process: bool,
    /// Receipts
    pub receipts: receipt::Settings,
    /// Whether Gift Aid is claimed
    pub gift_aid: bool,
    /// Intake sources whose gifts may bypass staging, if nothing about them is in doubt
    pub bypass_sources: Vec<String>,
}
