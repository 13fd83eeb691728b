//! Records inside the envelopes of REST answers.

use std::fmt::Write as _;

use ports::Response;
use serde_json::Value;
use uuid::Uuid;

use crate::http;
use crate::list::Page;
use crate::order::Order;
use crate::render;
use crate::workspace::Workspace;

/// Writes records of one object into answers.
pub(super) struct Records<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) object: usize,
    pub(super) depth: u8,
    pub(super) only: Option<&'a [String]>,
}

impl Records<'_> {
    fn write(&self, id: Uuid, out: &mut String) {
        let row = self.workspace.table(self.object).and_then(|table| table.get(id));
        match (self.workspace.schema.object(self.object), row) {
            (Some(object), Some(row)) => {
                render::record(self.workspace, object, (id, row), self.depth, self.only, out);
            }
            _ => out.push_str("null"),
        }
    }

    fn write_list(&self, ids: impl Iterator<Item = Uuid>, out: &mut String) {
        out.push('[');
        for (at, id) in ids.enumerate() {
            if at > 0 {
                out.push(',');
            }
            self.write(id, out);
        }
        out.push(']');
    }

    pub(super) fn single(&self, status: u16, name: &str, id: Uuid) -> Response {
        let mut out = format!("{{\"data\":{{\"{name}\":");
        self.write(id, &mut out);
        out.push_str("}}");
        http::json(status, out)
    }

    pub(super) fn under(&self, name: &str, ids: &[Uuid]) -> String {
        let mut out = format!("{{\"data\":{{\"{name}\":");
        self.write_list(ids.iter().copied(), &mut out);
        out.push_str("}}");
        out
    }

    pub(super) fn page(&self, name: &str, page: &Page<'_>) -> String {
        let mut out = format!("{{\"data\":{{\"{name}\":");
        self.write_list(page.rows.iter().map(|(id, _)| *id), &mut out);
        let _ = write!(out, "}},\"totalCount\":{},\"pageInfo\":{}}}", page.total, page_info(page));
        out
    }

    pub(super) fn duplicates(&self, singular: &str, found: &[Vec<Uuid>]) -> String {
        let mut out = String::from("{\"data\":[");
        for (at, ids) in found.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            let _ = write!(out, "{{\"{singular}Duplicates\":");
            self.write_list(ids.iter().copied(), &mut out);
            let rows = ids.iter().filter_map(|id| Some((*id, self.workspace.table(self.object)?.get(*id)?)));
            let cursors: Vec<String> = rows.map(|(id, row)| Order::default().cursor(id, row)).collect();
            let page = Page {
                rows: Vec::new(),
                total: ids.len(),
                first: cursors.first().cloned(),
                last: cursors.last().cloned(),
                has_next: false,
                has_previous: false,
            };
            let _ = write!(out, ",\"totalCount\":{},\"pageInfo\":{}}}", page.total, page_info(&page));
        }
        out.push_str("]}");
        out
    }
}

/// `pageInfo` of a page
fn page_info(page: &Page<'_>) -> Value {
    serde_json::json!({
        "startCursor": page.first,
        "endCursor": page.last,
        "hasNextPage": page.has_next,
        "hasPreviousPage": page.has_previous,
    })
}
