//! From a fuzzer's bytes to an input near a valid one.

use std::path::Path;
use std::time::Duration;

/// Time that each target may take after its corpus
pub const TEST_TIME: Duration = Duration::from_secs(2);
/// Longest input that is made at random: some forty changes of a file of the corpus
pub const MAX_LEN: usize = 160;

/// What inputs that get far are made of
const WORDS: &[&[u8]] = &[
    b"\0",
    b"\\u0000",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"-1",
    b"1e308",
    b"9007199254740992",
    b"0.5",
    b"%00",
    b"%2F",
    b"%2e",
    b"%",
    b"?",
    b"&",
    b"token=",
    b"%74oken=x",
    b"=",
    b"/",
    b"//",
    b"..",
    b"http://h/",
    b"\r\n",
    b"\n",
    b"---\n",
    b"dup\n",
    b"mute\n",
    b"found\n",
    b"lost\n",
    b"cut\n",
    b"429\n",
    b"\xff",
    b"\xc3",
    b"\xe2\x80\xae",
    b"GBP",
    b"2026-02-30",
    b"\"id\":\"",
    b"1f0e8a0c-0000-4000-8000-000000000001",
    b"gift",
    b"Bearer ",
    b"idempotency-key: k\n",
    b"t=1780272000,v1=",
    b"donorId",
    b"contactId",
    b"amount",
    b"99999999999999999999",
    b"NaN",
    b"\\",
    b"'",
    b"(",
    b")",
];

/// The files of a target's corpus, in the crate of this folder
pub fn corpus(folder: &str, target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(folder).join("tests/fuzz/__fuzz__").join(target).join("corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let files: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!files.is_empty(), "{target} has no corpus");
    files
}

/// A file of the corpus as it is; other bytes say which file to take, and how to change it
pub fn bent(input: &[u8], corpus: &[Vec<u8>]) -> Vec<u8> {
    if input.len() > MAX_LEN || corpus.iter().any(|file| file == input) {
        return input.to_vec();
    }
    let [first, second, changes @ ..] = input else { return input.to_vec() };
    let pick = |byte: u8, other: u8| &corpus[(usize::from(byte) << 8 | usize::from(other)) % corpus.len()];
    let mut bytes = pick(*first, *second).clone();
    for change in changes.chunks_exact(4) {
        let at = (usize::from(change[1]) << 8 | usize::from(change[2])) % (bytes.len() + 1);
        let size = usize::from(change[3]);
        let end = (at + size % 24).min(bytes.len());
        match change[0] % 8 {
            0 if at < bytes.len() => bytes[at] = change[3],
            1 => bytes.insert(at, change[3]),
            2 => drop(bytes.drain(at..end)),
            3 | 4 => drop(bytes.splice(at..at, WORDS[size % WORDS.len()].iter().copied())),
            5 => drop(bytes.splice(at..end, WORDS[(size / 2) % WORDS.len()].iter().copied())),
            6 => {
                let other = pick(change[2], change[3]);
                let from = size % (other.len() + 1);
                let to = (from + 40).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            7 if change[3] > 200 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}
