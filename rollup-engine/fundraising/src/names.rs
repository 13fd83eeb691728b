//! Names of people: whether two are the same, and whether two are clearly not.
//!
//! Between "the same" and "clearly another" lies what people make of one name: Bob and Robert, J. Smith, a middle name
//! that is left out, a married name, the two names of a couple on one account. A gift from a known address is a question
//! only where the name is clearly another: it is the first name that tells people of one address apart.
//!
//! | the record | the gift | |
//! |---|---|---|
//! | Zoë Nuñez | zoe nunez, Nuñez Zoë, Dr Zoë Nuñez | not clearly another: case, marks, order and titles do not count |
//! | Robert Vale | Bob Vale, R. Vale, RV | not clearly another: a usual short form, initials |
//! | Ann Marie Oak | Ann Birch | not clearly another: last names change |
//! | Ann Marie Oak | Marie Oak, Oak, Bob and Ann Oak | not clearly another: one has all words of the other |
//! | 太郎 山田 | 山田太郎, Taro Yamada | not clearly another: no blank, a script that cannot be compared |
//! | Fay Moor | Gus Moor | another |
//! | Ann Oak | Oak Ltd, Ann Oak Trust | another: an organisation |

use ports::{Form, UnicodeForms};

/// Usual short forms: the names of a line stand for each other
const SHORT_FORMS: &str = include_str!("names/short_forms.txt");

/// Words before a name
const TITLES: &str = " mr mrs ms miss mx dr prof professor sir dame rev revd herr frau mme mlle ";
/// Words after a name
const SUFFIXES: &str = " jr sr junior senior ii iii iv esq phd obe mbe cbe ";
/// Words between the names of two
const CONJUNCTIONS: &str = " and und et ";
/// Words of which one makes the name that of an organisation
const ORGANISATIONS: &str =
    " ltd limited inc llc llp plc gmbh cic cio foundation trust association charity society stiftung verein ";

/// Joiners spell some scripts, and nobody sees whether they are there
const fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{200c}' | '\u{200d}')
}

/// A text without joiners
#[must_use]
pub fn without_joiners(text: &str) -> String {
    text.chars().filter(|letter| !is_joiner(*letter)).collect()
}

/// A name or an address as it is compared for being the same: composed, in lower case, without joiners
#[must_use]
pub fn comparable(text: &str, forms: &dyn UnicodeForms) -> String {
    without_joiners(&forms.normalized(text.trim(), Form::Composed)).to_lowercase()
}

/// Whether a name is clearly another than the one that is known: its first name is neither equal nor an initial nor a usual
/// short form, and neither name has all words of the other
///
/// Both are first and last name, of which either may be blank.
///
/// # Examples
///
/// ```
/// use fundraising::names::is_clearly_other;
/// use ports::{Form, UnicodeForms};
///
/// /// A host for plain letters
/// struct Plain;
/// impl UnicodeForms for Plain {
///     fn normalized(&self, text: &str, _: Form) -> String { text.to_owned() }
/// }
/// assert!(!is_clearly_other(("Bob", "Vale"), ("Robert", "Vale"), &Plain));
/// assert!(is_clearly_other(("Gus", "Moor"), ("Fay", "Moor"), &Plain));
/// ```
#[must_use]
pub fn is_clearly_other(given: (&str, &str), known: (&str, &str), forms: &dyn UnicodeForms) -> bool {
    let first_name = |(first, _): (&str, &str)| words((first, ""), forms).into_iter().next();
    let is_first_alike = match (first_name(given), first_name(known)) {
        (Some(given), Some(known)) => ALIKE.iter().any(|is_alike| is_alike(&given, &known)),
        _ => false,
    };
    let (given, known) = (words(given, forms), words(known, forms));
    if given.is_empty() || known.is_empty() || is_latin(&given) != is_latin(&known) {
        return false;
    }
    let is_organisation = |words: &[String]| words.iter().any(|word| is_one_of(ORGANISATIONS, word));
    if is_organisation(&given) != is_organisation(&known) {
        return true;
    }
    let fits = |one: &[String], other: &[String]| {
        is_within(one, other) || initials(one, other).is_some_and(|initials| is_within(&initials, other))
    };
    let is_same = |one: &[String], other: &[String]| is_same_without_blanks(one, other.to_vec());
    !(is_first_alike
        || is_same(&given, &known)
        || is_same(&known, &given)
        || fits(&given, &known)
        || fits(&known, &given))
}

/// The words of a name as they are compared, without titles and marks
fn words((first, last): (&str, &str), forms: &dyn UnicodeForms) -> Vec<String> {
    let text = forms.normalized(&format!("{first} {last}"), Form::Decomposed);
    let mut all = String::new();
    for letter in text.to_lowercase().chars() {
        match letter {
            '\'' | '’' | 'ʼ' | '‘' | '`' | '´' => {}
            'æ' => all.push_str("ae"),
            'œ' => all.push_str("oe"),
            'ø' => all.push('o'),
            'ł' => all.push('l'),
            'đ' | 'ð' => all.push('d'),
            'þ' => all.push_str("th"),
            'ß' => all.push_str("ss"),
            'ı' => all.push('i'),
            _ if is_joiner(letter) || is_mark(letter) => {}
            _ if letter.is_ascii_alphanumeric() || (!letter.is_ascii() && !is_dash(letter)) => all.push(letter),
            _ => all.push(' '),
        }
    }
    let mut words: Vec<&str> = all.split_whitespace().filter(|word| !is_one_of(CONJUNCTIONS, word)).collect();
    while words.len() > 1 && words.first().is_some_and(|word| is_one_of(TITLES, word)) {
        words.remove(0);
    }
    while words.len() > 1 && words.last().is_some_and(|word| is_one_of(SUFFIXES, word)) {
        words.pop();
    }
    words.into_iter().map(str::to_owned).collect()
}

/// Marks over, under and in letters; vowel points, which are mostly left out, are among them
const fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

const fn is_dash(letter: char) -> bool {
    matches!(letter, '\u{2010}'..='\u{2015}' | '·' | '・')
}

fn is_latin(words: &[String]) -> bool {
    words.iter().any(|word| word.contains(|letter: char| letter.is_ascii_alphabetic()))
}

fn is_one_of(list: &str, word: &str) -> bool {
    list.split(' ').any(|one| one == word)
}

/// Whether the names are equal but for blanks, whichever name goes first
fn is_same_without_blanks(one: &[String], mut other: Vec<String>) -> bool {
    let one = one.concat();
    (0..other.len()).any(|_| {
        other.rotate_left(1);
        other.concat() == one
    })
}

/// How two words may stand for one name, the surest first
const ALIKE: [fn(&str, &str) -> bool; 4] = [|one, other| one == other, is_transliterated, is_short_form, is_initial];

/// Whether each word has one of its own among the others that may stand for it
fn is_within(words: &[String], others: &[String]) -> bool {
    let mut free: Vec<&str> = others.iter().map(String::as_str).collect();
    let mut open: Vec<&str> = words.iter().map(String::as_str).collect();
    for is_alike in ALIKE {
        open.retain(|word| match free.iter().position(|other| is_alike(word, other)) {
            Some(at) => {
                free.remove(at);
                false
            }
            None => true,
        });
    }
    open.is_empty()
}

/// German writes ö as oe where it cannot be typed.
fn is_transliterated(one: &str, other: &str) -> bool {
    let typed = |word: &str| word.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    typed(one) == typed(other)
}

fn is_short_form(one: &str, other: &str) -> bool {
    SHORT_FORMS.lines().any(|names| is_one_of(names, one) && is_one_of(names, other))
}

fn is_initial(one: &str, other: &str) -> bool {
    let is_first_of = |initial: &str, name: &str| initial.chars().count() == 1 && name.starts_with(initial);
    is_first_of(one, other) || is_first_of(other, one)
}

/// The words with each letter for itself where two or three stand together and are none of the others: JD Smith
fn initials(words: &[String], others: &[String]) -> Option<Vec<String>> {
    let is_whole = |word: &String| !(2..=3).contains(&word.chars().count()) || others.contains(word);
    if words.iter().all(is_whole) {
        return None;
    }
    let letters = |word: &String| word.chars().map(String::from).collect();
    Some(words.iter().flat_map(|word| if is_whole(word) { vec![word.clone()] } else { letters(word) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization as _;

    struct Forms;

    impl UnicodeForms for Forms {
        fn normalized(&self, text: &str, form: Form) -> String {
            match form {
                Form::Composed => text.nfc().collect(),
                Form::Decomposed => text.nfd().collect(),
            }
        }
    }

    /// First name and last name, with a bar between them
    fn parts(name: &str) -> (&str, &str) {
        name.split_once('|').unwrap_or((name, ""))
    }

    fn is_other(given: &str, known: &str) -> bool {
        let found = is_clearly_other(parts(given), parts(known), &Forms);
        assert_eq!(found, is_clearly_other(parts(known), parts(given), &Forms), "{given} {known}, turned round");
        found
    }

    #[test]
    fn ways_to_write_one_name() {
        for (given, known) in [
            ("ann|OAK", "Ann|Oak"),
            ("Zoe\u{308}|Nun\u{303}ez", "Zo\u{eb}|Nu\u{f1}ez"),
            ("Zoe|Nunez", "Zoë|Nuñez"),
            ("Łukasz|Żak", "Lukasz|Zak"),
            ("Søren|Ægir", "Soren|Aegir"),
            ("Jörg|Müller", "Joerg|Mueller"),
            ("Weiß", "WEISS"),
            ("Oak|Ann", "Ann|Oak"),
            ("Dr|Ann Oak", "Ann|Oak"),
            ("Mr. and Mrs. Bob|Oak Jr.", "Bob|Oak"),
            ("Sean|O'Brien", "Sean|O’Brien"),
            ("Sean|OBrien", "Sean|O'Brien"),
            ("Jean-Luc|Picard", "Jean Luc|Picard"),
            ("Jean\u{2011}Luc|Picard", "Jeanluc|Picard"),
            ("Maria|de la Cruz", "Maria|Delacruz"),
            ("山田太郎", "太郎|山田"),
            ("山田|太郎", "太郎|山田"),
            ("Taro|Yamada", "太郎|山田"),
            ("Иван|Фёдоров", "иван|Федоров"),
            ("نرگس\u{200c}ها", "نرگسها"),
            ("Suharto", "Suharto"),
        ] {
            assert!(!is_other(given, known), "{given} {known}");
        }
    }

    #[test]
    fn initials_and_short_forms() {
        for (given, known) in [
            ("J.|Smith", "John|Smith"),
            ("J|Smith", "John Paul|Smith"),
            ("John|S", "John|Smith"),
            ("JS", "John|Smith"),
            ("J.S.", "John|Smith"),
            ("D|K", "Dora|Kent"),
            ("Grace|Murray", "G|Hopper"),
            ("JD|Smith", "John David|Smith"),
            ("J.D.|Smith", "John David|Smith"),
            ("Bob|Vale", "Robert|Vale"),
            ("Liz|Elm", "Elizabeth|Elm"),
            ("Peggy|Elm", "Margaret Ann|Elm"),
            ("Sam|Elm", "Samantha|Elm"),
        ] {
            assert!(!is_other(given, known), "{given} {known}");
        }
    }

    #[test]
    fn names_left_out_or_added() {
        for (given, known) in [
            ("Ann|Oak", "Ann Marie|Oak"),
            ("Marie|Oak", "Ann Marie|Oak"),
            ("Ann|Oak-Birch", "Ann|Oak"),
            ("Ann|Birch", "Ann|Oak"),
            ("Mary Jane|Watson", "Mary Ann|Watson"),
            ("Beth|Birch", "Elizabeth|Oak"),
            ("Gabriel|García Márquez", "Gabriel|García"),
            ("Ann and Bob|Oak", "Ann|Oak"),
            ("Ann & Bob|Oak", "Bob|Oak"),
            ("Mr & Mrs|Oak", "Ann|Oak"),
            ("Oak", "Ann|Oak"),
            ("Ann", "Ann|Oak"),
            ("", "Ann|Oak"),
        ] {
            assert!(!is_other(given, known), "{given} {known}");
        }
    }

    #[test]
    fn clearly_another() {
        for (given, known) in [
            ("Gus|Moor", "Fay|Moor"),
            ("Bea|Elm", "Ann|Oak"),
            ("Bea|Birch", "Ann|Oak"),
            ("Birch", "Ann|Oak"),
            ("Louise|Oak", "Ann Marie|Oak"),
            ("G.|Moor", "Fay|Moor"),
            ("Ed|Moor", "Eve|Moor"),
            ("Jo|Elm", "Jim|Elm"),
            ("Gus", "Fay|Moor"),
            ("Samuel|Elm", "Samantha|Elm"),
            ("Alexander|Elm", "Alexandra|Elm"),
            ("Paul|Elm", "Paula|Elm"),
            ("Oak|Ltd", "Ann|Oak"),
            ("Ann Oak|Trust", "Ann|Oak"),
            ("花子|山田", "太郎|山田"),
            ("山田花子", "太郎|山田"),
            ("Анна|Фёдорова", "Иван|Фёдоров"),
        ] {
            assert!(is_other(given, known), "{given} {known}");
        }
    }

    #[test]
    fn what_counts_as_the_same() {
        let same = |one: &str, other: &str| comparable(one, &Forms) == comparable(other, &Forms);
        assert!(same("Zoe\u{308}", " zo\u{eb} "));
        assert!(same("\u{645}\u{6cc}\u{200c}\u{62e}", "\u{645}\u{6cc}\u{62e}"));
        assert!(!same("Zoe", "Zoë"));
    }

    proptest! {
        #[test]
        fn nobody_is_another_than_themselves(first in "\\PC{0,8}", last in "\\PC{0,8}", more in "[a-z]{0,5}") {
            let name = (first.as_str(), last.as_str());
            prop_assert!(!is_clearly_other(name, name, &Forms));
            let longer = format!("{first} {more}");
            let is_organisation = is_one_of(ORGANISATIONS, &more);
            prop_assert!(is_organisation || !is_clearly_other((&longer, &last), name, &Forms));
        }
    }
}
