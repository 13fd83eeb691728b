//! How many parents a run takes at a time.

/// Parents that a rebuild keeps in memory, and takes in one slice
///
/// The defaults are meant for a workspace of any size; tests set them small.
///
/// ```
/// let sizes = rollup::SliceSizes { largest_slice: 40, smallest_slice: 5, ..rollup::SliceSizes::default() };
/// assert_eq!(sizes.parents_in_memory, 100_000);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceSizes {
    /// Parents whose totals are kept in memory at once; more of them are taken slice by slice
    pub parents_in_memory: u64,
    /// Parents of a slice whose children the server adds up, found by the range of the parents' ids; a slice that is
    /// refused or slow is halved
    pub largest_slice: usize,
    /// Parents of any other slice, and of the largest one that is not halved: their children are found by a list of ids
    pub smallest_slice: usize,
    /// Parents of a slice that are written at a time, at most; another run can go on after each such portion
    pub write_portion: usize,
}

impl Default for SliceSizes {
    /// A slice of 20,000 parents makes answers of some 8 MB and keeps some 40 MB in memory.
    fn default() -> Self {
        Self { parents_in_memory: 100_000, largest_slice: 20_000, smallest_slice: 1_000, write_portion: 2_000 }
    }
}
