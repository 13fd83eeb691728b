//! JSON objects of a few members.

use serde_json::{Map, Value};

/// The object of these members
///
/// Collecting would sort them first, with several kilobytes of code for each kind of iterator.
///
/// # Examples
///
/// ```
/// use twenty::object::object;
///
/// let object = object([("from".to_owned(), "pending".into())]);
/// assert_eq!(object["from"], "pending");
/// ```
pub fn object(members: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
    let mut object = Map::new();
    object.extend(members);
    object
}
