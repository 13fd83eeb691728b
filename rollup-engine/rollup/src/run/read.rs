//! Reading records in as few requests as the server allows.
//!
//! REST gives 200 records a request, GraphQL as many as are asked for. But GraphQL answers an unknown field with null, so
//! it is asked only once the names are proven: by the metadata, or by the keys of records that came by REST.

use twenty::client::PageQuery;
use twenty::error::ApiError;
use twenty::filter::Filter;
use twenty::page::Page;
use twenty::value::Value;
use twenty::{Event, Host, Level, Timestamp};

use super::Run;
use crate::program::PathKind;

/// Records in one reply of GraphQL: some 1 MB
pub(super) const MANY: usize = 5_000;

impl<H: Host> Run<'_, H> {
    /// Whether GraphQL may be asked for this object
    pub(super) fn by_graphql(&self, source: usize) -> bool {
        self.graphql.get() && self.known.get(source).is_some_and(|known| known.borrow().proven)
    }

    /// Takes an error of GraphQL: true if the server has none, and REST is the way from here on.
    pub(super) fn without_graphql(&self, error: &ApiError) -> bool {
        let unsupported = error.is_unsupported();
        if unsupported && self.graphql.replace(false) {
            let line = Event::new(Level::Warn, "graphql_unsupported").with("message", error.to_string());
            self.client.host().log(line);
        }
        unsupported
    }

    /// One page of an object's live records and the moment at which it came; up to `most` records where GraphQL serves
    pub(super) async fn page(
        &self,
        source: usize,
        filter: Option<&Filter>,
        after: Option<&str>,
        most: usize,
    ) -> Result<(Page, Timestamp), ApiError> {
        let Some(object) = self.program.sources.get(source) else { return Ok((Page::default(), self.began)) };
        self.spend(|spent| spent.reads += 1);
        if self.by_graphql(source) {
            let query = PageQuery { filter, after, limit: most };
            match self.client.list_graphql(&object.names, query, &object.keep).await {
                Err(error) if self.without_graphql(&error) => {}
                result => return result.map(|page| (page, self.client.host().now())),
            }
        }
        let query = PageQuery { filter, after, limit: self.manner.page_size };
        let page = self.client.list(&object.names, query, &object.keep).await?;
        self.learn(source, &page);
        Ok((page, self.client.host().now()))
    }

    /// Learns from the first records what fields there are.
    pub(super) fn learn(&self, source: usize, page: &Page) {
        let (Some(known), Some(object)) = (self.known.get(source), self.program.sources.get(source)) else { return };
        let mut known = known.borrow_mut();
        let [first, ..] = page.records.as_slice() else { return };
        if known.kinds.is_empty() {
            known.proven = first
                .values
                .iter()
                .enumerate()
                .all(|(place, value)| *value != Value::Missing || object.optional.contains(&place));
            known.kinds = object
                .paths
                .iter()
                .enumerate()
                .map(|(place, path)| PathKind::of_records(&page.records, place, path))
                .collect();
        }
    }

    /// What kind of value stands at a path of an object, if that is known
    pub(super) fn kind_of(&self, source: usize, path: &str) -> Option<PathKind> {
        let place = self.program.sources.get(source)?.paths.iter().position(|other| other == path)?;
        self.known.get(source)?.borrow().kinds.get(place).copied().flatten()
    }
}
