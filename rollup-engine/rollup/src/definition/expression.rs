//! The expression of a formula, from its text.

use twenty::decimal::Decimal;

use super::fault::hint;
use super::model::{Arithmetic, Expression, Function};
use super::reader::value_path_fault;
use super::words::FUNCTIONS;

/// Longest text of an expression
const MAX_LENGTH: usize = 2_000;
/// Most expressions inside one another
const MAX_DEPTH: usize = 32;
/// What stands for the day of the run
const TODAY: &str = "today";

/// Reads an expression
///
/// # Errors
/// What cannot be read, and where.
pub(super) fn read(text: &str) -> Result<Expression, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("`{}…` is longer than {MAX_LENGTH} letters", text.chars().take(40).collect::<String>()));
    }
    let tokens: Vec<(usize, Token<'_>)> = tokens(text).collect();
    let mut parser = Parser { text, tokens: &tokens, next: 0, depth: 0 };
    let expression = parser.sum()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.unexpected("an operator or the end")),
    }
}

/// The same expression with other names, part of a path behind a name left as it is
pub(super) fn renamed(text: &str, rename: impl Fn(&str) -> Option<String>) -> String {
    let tokens: Vec<(usize, Token<'_>)> = tokens(text).collect();
    let (mut result, mut copied) = (String::new(), 0);
    for (index, (start, token)) in tokens.iter().enumerate() {
        let Token::Word(word) = token else { continue };
        let (name, rest) =
            word.split_once('.').map_or((*word, ""), |(name, _)| (name, word.get(name.len()..).unwrap_or("")));
        let is_function = matches!(tokens.get(index + 1), Some((_, Token::Sign('('))));
        if let Some(other) = rename(name).filter(|_| !is_function) {
            result.push_str(text.get(copied..*start).unwrap_or_default());
            result.push_str(&other);
            result.push_str(rest);
            copied = start + word.len();
        }
    }
    result.push_str(text.get(copied..).unwrap_or_default());
    result
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'t> {
    Number(&'t str),
    Word(&'t str),
    Sign(char),
}

/// The tokens of a text, each with where it begins
fn tokens(text: &str) -> impl Iterator<Item = (usize, Token<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        at += rest.len() - rest.trim_start().len();
        let rest = text.get(at..)?;
        let first = rest.chars().next()?;
        let begins = first.is_ascii_alphabetic();
        let is_part = |sign: char| match sign {
            '.' => true,
            '_' => begins,
            sign if begins => sign.is_ascii_alphanumeric(),
            sign => sign.is_ascii_digit(),
        };
        let start = at;
        if !begins && !first.is_ascii_digit() {
            at += first.len_utf8();
            return Some((start, Token::Sign(first)));
        }
        let word = rest.get(..rest.find(|sign| !is_part(sign)).unwrap_or(rest.len()))?;
        at += word.len();
        Some((start, if begins { Token::Word(word) } else { Token::Number(word) }))
    })
}

struct Parser<'t> {
    text: &'t str,
    tokens: &'t [(usize, Token<'t>)],
    next: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).map(|(_, token)| *token)
    }

    fn take(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(Token::Sign(sign));
        self.next += usize::from(found);
        found
    }

    fn unexpected(&self, expected: &str) -> String {
        let found = match self.tokens.get(self.next) {
            None => "the end".to_owned(),
            Some((start, _)) => format!("`{}`", self.text.get(*start..).unwrap_or_default()),
        };
        format!("`{}` cannot be read: found {found}, expected {expected}", self.text)
    }

    /// One of these signs, if one comes next
    fn operator(&mut self, signs: &[(char, Arithmetic)]) -> Option<Arithmetic> {
        signs.iter().find(|(sign, _)| self.take(*sign)).map(|(_, operator)| *operator)
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&[('+', Arithmetic::Add), ('-', Arithmetic::Subtract)]) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.factor()?;
        while let Some(operator) = self.operator(&[('*', Arithmetic::Multiply), ('/', Arithmetic::Divide)]) {
            left = Expression::Binary(operator, Box::new(left), Box::new(self.factor()?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("`{}` has more than {MAX_DEPTH} expressions inside one another", self.text));
        }
        let expression = self.factor_within();
        self.depth -= 1;
        expression
    }

    fn factor_within(&mut self) -> Result<Expression, String> {
        if self.take('-') {
            return Ok(Expression::Negative(Box::new(self.factor()?)));
        }
        if self.take('(') {
            let inner = self.sum()?;
            return if self.take(')') { Ok(inner) } else { Err(self.unexpected("`)`")) };
        }
        match self.peek() {
            Some(Token::Number(text)) => {
                let number = Decimal::parse(text).ok_or_else(|| self.unexpected("a number"))?;
                self.next += 1;
                Ok(Expression::Number(number))
            }
            Some(Token::Word(word)) => {
                self.next += 1;
                if self.take('(') { self.call(word) } else { self.name(word) }
            }
            _ => Err(self.unexpected("a name, a number, a function or `(`")),
        }
    }

    fn name(&self, word: &str) -> Result<Expression, String> {
        if word == TODAY {
            return Ok(Expression::Today);
        }
        match value_path_fault(word) {
            None => Ok(Expression::Name(word.to_owned())),
            Some(message) => Err(format!("`{}` cannot be read: {message}", self.text)),
        }
    }

    /// A function, behind its opening bracket
    fn call(&mut self, word: &str) -> Result<Expression, String> {
        let Some((_, function)) = FUNCTIONS.iter().find(|(name, _)| *name == word) else {
            let names = FUNCTIONS.map(|(name, _)| name);
            return Err(format!("`{}` has an unknown function `{word}`, {}", self.text, hint(word, &names)));
        };
        let mut values = vec![self.sum()?];
        while self.take(',') {
            values.push(self.sum()?);
        }
        if !self.take(')') {
            return Err(self.unexpected("`,` or `)`"));
        }
        let wrong = |expected: &str| Err(format!("`{}` cannot be read: `{word}` takes {expected}", self.text));
        match function {
            Function::Abs if values.len() != 1 => wrong("one value"),
            Function::Round(_) => {
                let decimals = match values.get(1) {
                    None => Some(0),
                    Some(Expression::Number(number)) => number.to_string().parse().ok().filter(|number| *number <= 12),
                    Some(_) => None,
                };
                match decimals.filter(|_| values.len() <= 2) {
                    Some(decimals) => {
                        values.truncate(1);
                        Ok(Expression::Call(Function::Round(decimals), values))
                    }
                    None => wrong("a value and a whole number from 0 to 12, written out"),
                }
            }
            function => Ok(Expression::Call(*function, values)),
        }
    }
}

impl Expression {
    /// Paths of the values that it reads
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Number(_) | Self::Today => Vec::new(),
            Self::Name(path) => vec![path],
            Self::Negative(inner) => inner.names(),
            Self::Binary(_, left, right) => [left.names(), right.names()].concat(),
            Self::Call(_, values) => values.iter().flat_map(Self::names).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> Expression {
        Expression::Name(path.to_owned())
    }

    #[test]
    fn products_bind_more_than_sums() {
        use Arithmetic::{Add, Divide, Subtract};
        let expected = Expression::Binary(
            Subtract,
            Box::new(Expression::Binary(
                Add,
                Box::new(name("a")),
                Box::new(Expression::Binary(Divide, Box::new(name("b.c")), Box::new(name("d")))),
            )),
            Box::new(Expression::Negative(Box::new(Expression::Today))),
        );
        assert_eq!(read("a+b.c / d - -today").unwrap(), expected);
        assert_eq!(read("(a + b)").unwrap(), read(" a  +b").unwrap());
        assert_ne!(read("(a - b) - c").unwrap(), read("a - (b - c)").unwrap());
    }

    #[test]
    fn functions_with_their_values() {
        let rounded = Expression::Call(Function::Round(2), vec![name("a")]);
        assert_eq!(read("round(a, 2)").unwrap(), rounded);
        assert_eq!(read("round(a)").unwrap(), Expression::Call(Function::Round(0), vec![name("a")]));
        assert_eq!(read("least(a, b, 0)").unwrap().names(), ["a", "b"]);
        // A name that a function has as well
        assert_eq!(read("round").unwrap(), name("round"));
    }

    #[test]
    fn faults_name_the_expression() {
        for (text, part) in [
            ("", "found the end"),
            ("a / (b", "found the end, expected `)`"),
            ("a b", "found `b`, expected an operator"),
            ("a +", "found the end"),
            ("1.2.3", "found `1.2.3`"),
            ("5.", "found `5.`"),
            ("a..b", "no path"),
            ("a.b.c.d.e.f", "too long a path"),
            ("a % b", "found `% b`"),
            ("é", "found `é`"),
            ("median(a, b)", "unknown function `median`, expected one of `coalesce`"),
            ("rond(a)", "did you mean `round`?"),
            ("abs(a, b)", "`abs` takes one value"),
            ("abs()", "found `)`"),
            ("round(a, b)", "`round` takes"),
            ("round(a, 1.5)", "`round` takes"),
            ("round(a, 13)", "`round` takes"),
            ("round(a, 1, 1)", "`round` takes"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(part) && message.contains(text), "{text}: {message}");
        }
        for deep in ["(".repeat(1_000), "-".repeat(1_000), "abs(".repeat(400)] {
            assert!(read(&deep).unwrap_err().contains("inside one another"), "{deep}");
        }
        assert!(read(&"a + ".repeat(1_000)).unwrap_err().contains("longer than"));
    }

    #[test]
    fn renaming_leaves_functions_and_parts() {
        let rename = |name: &str| (name == "a" || name == "abs").then(|| format!("my{name}"));
        assert_eq!(renamed("abs(a) + b.a - a.c*aa + (a)", rename), "abs(mya) + b.a - mya.c*aa + (mya)");
    }
}
