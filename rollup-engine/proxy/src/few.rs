//! Order among a few: the library's sort costs several kilobytes of the module for each kind of record.

/// Sorts a short list by its ranks; of equal ones the first stays first
pub(crate) fn sort<T, K: Ord>(list: &mut [T], rank: impl Fn(&T) -> K) {
    for end in 2..=list.len() {
        for place in (2..=end).rev() {
            match list.get_mut(place - 2..place) {
                Some([before, after]) if rank(after) < rank(before) => std::mem::swap(before, after),
                _ => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_the_librarys(list in proptest::collection::vec((0_u8..6, any::<u8>()), 0..20)) {
            let (mut ours, mut theirs) = (list.clone(), list);
            sort(&mut ours, |(rank, _)| *rank);
            theirs.sort_by_key(|(rank, _)| *rank);
            prop_assert_eq!(ours, theirs);
        }
    }
}
