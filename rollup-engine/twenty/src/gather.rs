//! Collections filled one by one.
//!
//! `collect` into a sorted collection, and every `sort`, bring a sorting routine of their own for each type: measured on
//! the rollup module, 109 KB of 730 KB of code before optimisation. What is collected here is small, so it is inserted.

/// Fills a collection by inserting
pub fn gather<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut collection = C::default();
    collection.extend(items);
    collection
}

/// Inserts into an ordered list, unless the item is there already
pub fn insert_in_order<T: Ord>(list: &mut Vec<T>, item: T) {
    let place = list.partition_point(|other| *other < item);
    if list.get(place) != Some(&item) {
        list.insert(place, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn lists_stay_in_order_without_doubles() {
        let mut list = Vec::new();
        for item in [3, 1, 2, 3, 1] {
            insert_in_order(&mut list, item);
        }
        assert_eq!(list, [1, 2, 3]);
        assert_eq!(gather::<BTreeSet<_>, _>([3, 1, 2, 3]).len(), 3);
    }
}
