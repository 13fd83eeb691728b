//! Composing letters: Unicode writes é as one character, or as an e and the accent that follows it.

/// One of Unicode's ways to write a letter with marks
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// NFC: as one character where there is one
    Composed,
    /// NFD: as the letter and its marks
    Decomposed,
}

impl Form {
    /// The name by which JavaScript knows it
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Composed => "NFC",
            Self::Decomposed => "NFD",
        }
    }
}

/// Knows how letters are composed
pub trait UnicodeForms {
    /// The text in this form
    fn normalized(&self, text: &str, form: Form) -> String;
}

impl<T: UnicodeForms + ?Sized> UnicodeForms for &T {
    fn normalized(&self, text: &str, form: Form) -> String {
        (**self).normalized(text, form)
    }
}
