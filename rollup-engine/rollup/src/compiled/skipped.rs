//! What was left out.

/// Something that was left out, and why
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Skipped {
    /// Number of the definition
    pub definition: usize,
    /// Number of the aggregation, if the rest of the definition runs
    pub aggregation: Option<usize>,
    /// Stable name of the reason, for programs: one of the constants here, or the code of an error
    pub code: String,
    /// Why
    pub reason: String,
}

impl Skipped {
    /// The workspace does not have what is named
    pub const NOT_IN_WORKSPACE: &str = "not_in_workspace";
    /// A condition compares a field with a value that no record can have there
    pub const INVALID_VALUE: &str = "invalid_value";
    /// Records have shown that a named field is not there
    pub const MISSING_FIELD: &str = "missing_field";
}
