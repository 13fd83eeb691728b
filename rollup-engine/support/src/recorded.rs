//! The recordings, which lie beside the project in `../shared`.

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

/// A file of the recordings; nothing where they are absent, which the terminal is told
pub fn text(path: &str) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        let mut terminal = std::io::stderr();
        // What a passing test prints with the macros is swallowed.
        writeln!(terminal, "SKIPPED: the recordings are not here ({})", file.display()).unwrap();
    }
    text
}

/// The lines of a file of the recordings, each of which is JSON
pub fn lines(path: &str) -> Option<Vec<Value>> {
    Some(text(path)?.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}
