//! The two servers that are imitated.

/// Which Twenty is imitated
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// 2.19, as recorded
    #[default]
    V1,
    /// Mid to late 2026 (2.40 and later), as published
    V2,
}
