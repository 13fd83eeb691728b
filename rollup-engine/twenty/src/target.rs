//! What a call asks of Twenty's REST API, from a closed list.
//!
//! A path holds constant words and proven ids, a query is percent-encoded once, and a write of many records names their
//! ids. There is no other way to make a [`Target`], so that whatever a caller sent, no call is about other records.

use std::borrow::Cow;

use crate::filter::{Filter, encode};
use crate::record_id::RecordId;
use crate::schema::Names;
use ports::Method;

/// An object's plural, as it stands in paths: `giftStagings`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection(Cow<'static, str>);

/// A plural that is no name
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no name of an object: expected letters, digits and underscores")]
pub struct InvalidName(String);

impl From<&'static str> for Collection {
    fn from(plural: &'static str) -> Self {
        Self(Cow::Borrowed(plural))
    }
}

impl TryFrom<&Names> for Collection {
    type Error = InvalidName;

    fn try_from(names: &Names) -> Result<Self, Self::Error> {
        if is_name(&names.plural) {
            return Ok(Self(Cow::Owned(names.plural.clone())));
        }
        Err(InvalidName(names.plural.clone()))
    }
}

/// Whether a text can be the name of an object or a field
#[must_use]
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The order of a list: by a field, records without a value last
///
/// ```
/// use twenty::target::{OrderBy, Query, Target};
///
/// let newest_first = Query::default().ordered(&OrderBy::descending("createdAt"));
/// assert_eq!(Target::list("gifts", &newest_first).path(), "/gifts?order_by=createdAt%5BDescNullsLast%5D");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    field: Cow<'static, str>,
    direction: &'static str,
}

impl OrderBy {
    /// The lowest value first
    pub fn ascending(field: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), direction: "AscNullsLast" }
    }

    /// The highest value first
    pub fn descending(field: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), direction: "DescNullsLast" }
    }
}

/// The parameters of a read
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(&'static str, String)>);

impl Query {
    /// The same with one more parameter; its value is not encoded yet
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// The same for records that fulfil the filter
    #[must_use]
    pub fn filtered(self, filter: &Filter) -> Self {
        self.with("filter", filter.to_parameter())
    }

    /// The same in this order
    #[must_use]
    pub fn ordered(self, order: &OrderBy) -> Self {
        self.with("order_by", format!("{}[{}]", order.field, order.direction))
    }

    fn append_to(&self, path: &mut String) {
        for (index, (name, value)) in self.0.iter().enumerate() {
            path.push(if index == 0 { '?' } else { '&' });
            path.push_str(name);
            path.push('=');
            path.push_str(&encode(value));
        }
    }
}

/// A write of many records without the ids of those that it is about
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a write of several records must name their ids")]
pub struct Unbounded;

/// A method and a path below `/rest`
///
/// ```
/// use ports::Method;
/// use twenty::{RecordId, target::Target};
///
/// let id: RecordId = "7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10".parse().unwrap();
/// let target = Target::update("gifts", id);
/// assert_eq!((target.method(), target.path()), (Method::Patch, "/gifts/7f0b4a52-6a1c-4e0b-9d55-3a1f1d0c9a10"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    method: Method,
    path: String,
}

impl Target {
    fn new(method: Method, path: String) -> Self {
        Self { method, path }
    }

    /// `GET /{plural}`
    #[must_use]
    pub fn list(collection: impl Into<Collection>, query: &Query) -> Self {
        Self::new(Method::Get, format!("/{}", collection.into().0)).asking(query)
    }

    /// `GET /{plural}/{id}`
    #[must_use]
    pub fn get(collection: impl Into<Collection>, id: RecordId, query: &Query) -> Self {
        Self::new(Method::Get, record(&collection.into(), id)).asking(query)
    }

    /// `GET /metadata/objects`
    #[must_use]
    pub fn objects(query: &Query) -> Self {
        Self::new(Method::Get, "/metadata/objects".into()).asking(query)
    }

    /// `POST /{plural}`
    #[must_use]
    pub fn create(collection: impl Into<Collection>) -> Self {
        Self::new(Method::Post, format!("/{}", collection.into().0))
    }

    /// `POST /{plural}/duplicates`, which only asks
    #[must_use]
    pub fn duplicates(collection: impl Into<Collection>, query: &Query) -> Self {
        Self::new(Method::Post, format!("/{}/duplicates", collection.into().0)).asking(query)
    }

    /// `POST /batch/{plural}?upsert=true`
    #[must_use]
    pub fn upsert(collection: impl Into<Collection>) -> Self {
        Self::new(Method::Post, format!("/batch/{}?upsert=true", collection.into().0))
    }

    /// `PATCH /{plural}/{id}`
    #[must_use]
    pub fn update(collection: impl Into<Collection>, id: RecordId) -> Self {
        Self::new(Method::Patch, record(&collection.into(), id))
    }

    /// `PATCH /{plural}?filter=…`
    ///
    /// # Errors
    /// The filter does not name the ids of the records that may be changed.
    pub fn update_where(collection: impl Into<Collection>, filter: &Filter) -> Result<Self, Unbounded> {
        if !filter.names_ids() {
            return Err(Unbounded);
        }
        let target = Self::new(Method::Patch, format!("/{}", collection.into().0));
        Ok(target.asking(&Query::default().filtered(filter)))
    }

    /// `DELETE /{plural}/{id}?soft_delete=true`: into the trash
    #[must_use]
    pub fn trash(collection: impl Into<Collection>, id: RecordId) -> Self {
        Self::new(Method::Delete, record(&collection.into(), id) + "?soft_delete=true")
    }

    /// `DELETE /{plural}/{id}`: for good
    #[must_use]
    pub fn destroy(collection: impl Into<Collection>, id: RecordId) -> Self {
        Self::new(Method::Delete, record(&collection.into(), id))
    }

    fn asking(mut self, query: &Query) -> Self {
        query.append_to(&mut self.path);
        self
    }

    /// The method
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Path and query as sent, below `/rest`
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether it changes records
    #[must_use]
    pub fn writes(&self) -> bool {
        self.method != Method::Get && !self.asks_for_duplicates()
    }

    /// Whether it is the `POST` that only asks
    #[must_use]
    pub fn asks_for_duplicates(&self) -> bool {
        self.path.split('?').next().is_some_and(|route| route.ends_with("/duplicates"))
    }
}

fn record(collection: &Collection, id: RecordId) -> String {
    format!("/{}/{id}", collection.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    /// A write of many records goes out with their ids or not at all.
    #[test]
    fn writes_without_ids() {
        let ids = |ids: Vec<Uuid>| Filter::IdIn("id".into(), ids);
        let id = Uuid::from_u128(0x1111_1111_1111_4111_8111_1111_1111_1111);
        let empty = Filter::Empty("giftId".into());
        assert!(Target::update_where("gifts", &Filter::And(vec![ids(vec![id]), empty.clone()])).is_ok());
        assert!(Target::update_where("gifts", &Filter::IdIs("id".into(), id.into())).is_ok());
        for filter in [
            Filter::And(Vec::new()),
            ids(Vec::new()),
            empty.clone(),
            Filter::IdIn("donorId".into(), vec![id]),
            Filter::Or(vec![ids(vec![id]), empty]),
            Filter::Not(Box::new(ids(vec![id]))),
        ] {
            assert_eq!(Target::update_where("gifts", &filter), Err(Unbounded), "{filter}");
        }
    }

    proptest! {
        /// Whatever a parameter's value is, it stays a value.
        #[test]
        fn values_of_parameters(value in "\\PC{0,40}") {
            let target = Target::list("gifts", &Query::default().with("starting_after", value).with("limit", "1"));
            let query = target.path().strip_prefix("/gifts?starting_after=").unwrap();
            let (encoded, rest) = query.split_once('&').unwrap();
            prop_assert_eq!(rest, "limit=1");
            prop_assert!(encoded.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        }
    }
}
