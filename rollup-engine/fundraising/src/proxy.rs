//! One process of the service.

use std::cell::Cell;

use crate::settings::Settings;

/// One process of the service
#[derive(Debug)]
pub struct Proxy {
    /// How it is set up
    pub settings: Settings,
    /// What is learned of the workspace's rows
    pub intake: crate::intake::Memory,
    ids: Cell<u64>,
}

impl Proxy {
    /// A fresh one
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, intake: crate::intake::Memory::default(), ids: Cell::new(0) }
    }

    pub(crate) fn draw(&self) -> u64 {
        self.ids.set(self.ids.get() + 1);
        self.ids.get()
    }
}
