//! The service on a workspace, with staging and without it.

use ports::Timestamp;
use sandbox::{Faults, SandboxHost};
use serde_json::{Value, json};
use support::{ServiceWorld, World, ten};

/// The service with staging, which processes by itself
pub(crate) fn staged() -> ServiceWorld {
    on(World::fundraising(), true)
}

/// The service without staging
pub(crate) fn unstaged() -> ServiceWorld {
    on(World::fundraising(), false)
}

pub(crate) fn on(world: World, staging: bool) -> ServiceWorld {
    let mut world = ServiceWorld::on(world, staging);
    world.settings.auto_process = true;
    world
}

/// The actions of a row's trail
pub(crate) fn actions(row: &Value) -> Vec<String> {
    let entries = row["auditTrail"]["entries"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

/// A gift by a new donor, with a reference
pub(crate) fn by_mail() -> Value {
    json!({
        "amount": { "amountMicros": 25_000_000, "currencyCode": "GBP" },
        "contact": { "firstName": "Mary", "lastName": "Seacole", "email": "mary@crimea.example" },
        "giftDate": "2026-02-14", "intakeSource": "portal", "externalId": "row-7",
    })
}

/// The same at some other time of day, for a host whose clock starts there
pub(crate) fn later(world: &ServiceWorld, minutes: i64) -> SandboxHost {
    let at = Timestamp::from_millis(ten().as_millis() + minutes * 60_000);
    SandboxHost::new(world.sandbox.clone(), Faults::none(), at)
}
