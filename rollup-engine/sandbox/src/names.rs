//! How names are made of labels and of each other.

/// `Fund entries` → `FundEntries`, `gift` → `Gift`
pub(crate) fn pascal(label: &str) -> String {
    label
        .split_whitespace()
        .filter_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        })
        .collect()
}

/// `Gift stagings` → `giftStagings`: the name that a label gives
pub(crate) fn camel(label: &str) -> String {
    let pascal = pascal(label);
    let mut letters = pascal.chars();
    letters.next().map(|first| first.to_lowercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}
