//! What outlives a run: values kept under a name, and further runs.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

/// Keeps texts between runs; by default nothing is kept
///
/// # Examples
///
/// ```
/// use std::{cell::RefCell, collections::HashMap};
///
/// use ports::{KeyValue, async_trait};
///
/// #[derive(Default)]
/// struct Memory(RefCell<HashMap<String, String>>);
///
/// #[async_trait(?Send)]
/// impl KeyValue for Memory {
///     async fn get(&self, key: &str) -> Option<String> {
///         self.0.borrow().get(key).cloned()
///     }
///
///     async fn set(&self, key: &str, value: Option<&str>) -> bool {
///         let mut texts = self.0.borrow_mut();
///         match value {
///             Some(value) => texts.insert(key.to_owned(), value.to_owned()),
///             None => texts.remove(key),
///         };
///         true
///     }
/// }
/// ```
#[async_trait(?Send)]
pub trait KeyValue {
    /// The text under this key; nothing where there is none, or no store
    async fn get(&self, key: &str) -> Option<String> {
        let _ = key;
        None
    }

    /// Sets the text under this key, or removes it; false where there is no store
    async fn set(&self, key: &str, value: Option<&str>) -> bool {
        let _ = (key, value);
        false
    }
}

#[async_trait(?Send)]
impl<T: KeyValue + ?Sized> KeyValue for &T {
    async fn get(&self, key: &str) -> Option<String> {
        (**self).get(key).await
    }

    async fn set(&self, key: &str, value: Option<&str>) -> bool {
        (**self).set(key, value).await
    }
}

/// Starts further runs; by default none can be started
#[async_trait(?Send)]
pub trait Wakeups {
    /// Starts another run with this payload, after a delay; false where that is not possible
    async fn enqueue(&self, payload: &Value, delay: Duration) -> bool {
        let _ = (payload, delay);
        false
    }
}

#[async_trait(?Send)]
impl<T: Wakeups + ?Sized> Wakeups for &T {
    async fn enqueue(&self, payload: &Value, delay: Duration) -> bool {
        (**self).enqueue(payload, delay).await
    }
}
