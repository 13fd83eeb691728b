//! What a `filter` stands for.

use std::collections::BTreeMap;

use super::super::fault::hint;
use super::super::model::Condition;

/// Most comparisons that one name may stand for: names that use names could double without end
const MAX_COMPARISONS: usize = 500;
/// Most conditions inside one another
pub(super) const MAX_DEPTH: usize = 32;

/// The named conditions of a configuration; none where one could not be read
#[derive(Debug, Default)]
pub(super) struct NamedConditions {
    read: BTreeMap<String, Option<Condition>>,
}

impl NamedConditions {
    pub(super) fn of(names: impl Iterator<Item = String>) -> Self {
        Self { read: names.map(|name| (name, None)).collect() }
    }

    pub(super) fn set(&mut self, name: &str, condition: Option<Condition>) {
        self.read.insert(name.to_owned(), condition);
    }

    /// What a name stands for, at a depth; nothing where that was said to be wrong already
    ///
    /// # Errors
    /// If there is no such name, or it stands for too much.
    pub(super) fn get(&self, name: &str, depth: usize) -> Result<Option<Condition>, String> {
        let Some(condition) = self.read.get(name) else {
            let names: Vec<&str> = self.read.keys().map(String::as_str).collect();
            return Err(format!("there is no `{name}` in the `filters` of the configuration, {}", hint(name, &names)));
        };
        let Some(condition) = condition else { return Ok(None) };
        if condition.comparisons().len() > MAX_COMPARISONS {
            return Err(format!("`{name}` stands for more than {MAX_COMPARISONS} comparisons"));
        }
        if depth + condition.depth() > MAX_DEPTH {
            return Err(format!("`{name}` makes it more than {MAX_DEPTH} conditions inside one another"));
        }
        Ok(Some(condition.clone()))
    }
}
