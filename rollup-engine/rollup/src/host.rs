//! What a run needs of the outside.

use ports::{Host, KeyValue, TimeZones, Wakeups};
use twenty::client::Client;

/// What a run needs: a caller's [`Host`], time zones, a store where there is one, and a way to start further runs
pub trait RollupHost: Host + TimeZones + KeyValue + Wakeups {}

impl<T: Host + TimeZones + KeyValue + Wakeups + ?Sized> RollupHost for T {}

/// A caller of Twenty on behalf of a run
pub(crate) type RollupClient<'a> = Client<&'a dyn RollupHost>;
