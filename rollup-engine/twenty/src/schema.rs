//! The objects and fields that a workspace has, and how their names become paths.
//!
//! Twenty's paths use the plural of an object, and English plurals cannot be guessed (`person` → `people`). The
//! workspace's metadata knows them; reading it costs no tokens of the rate limit. Where a token may not read it, a table
//! of the usual objects has to do, with the configuration's own additions. A name in neither is refused with a hint.

use serde_json::Value;

/// An object's names
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Names {
    /// Singular, as in definitions: `person`
    pub singular: String,
    /// Plural, as in paths: `people`
    pub plural: String,
}

impl Names {
    /// From both names
    pub fn new(singular: impl Into<String>, plural: impl Into<String>) -> Self {
        Self { singular: singular.into(), plural: plural.into() }
    }

    /// Key of the reply to an operation on many records: `createPeople`
    #[must_use]
    pub fn many(&self, operation: &str) -> String {
        operation.to_owned() + &capitalised(&self.plural)
    }

    /// Key of the reply to an operation on one record: `updatePerson`
    #[must_use]
    pub fn one(&self, operation: &str) -> String {
        operation.to_owned() + &capitalised(&self.singular)
    }
}

pub(crate) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// Plurals of the objects that definitions usually name, for tokens that may not read the metadata
const KNOWN_PLURALS: &[(&str, &str)] = &[
    ("appeal", "appeals"),
    ("company", "companies"),
    ("gift", "gifts"),
    ("giftPayout", "giftPayouts"),
    ("giftStaging", "giftStagings"),
    ("household", "households"),
    ("note", "notes"),
    ("opportunity", "opportunities"),
    ("person", "people"),
    ("recurringAgreement", "recurringAgreements"),
    ("softCredit", "softCredits"),
    ("task", "tasks"),
];

/// One field of an object
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Twenty's type: `CURRENCY`, `NUMBER`, `DATE`, `RELATION` …
    pub kind: String,
    /// Of a relation to one record, the object on the other side in the singular, where the metadata tells it
    pub target: Option<String>,
    /// Of a `SELECT`, `MULTI_SELECT` or `RATING`, the values that it may have, where the metadata tells them
    pub options: Vec<String>,
}

/// One object of a workspace
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its names
    pub names: Names,
    /// Its fields by name; a relation to one record stands under its join column (`donorId`), of type `RELATION`
    pub fields: Vec<(String, Field)>,
}

impl Object {
    /// The field of this name
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, field)| field)
    }

    /// The column of the relation to one record of this name, `donorId` of `donor`, and its field
    #[must_use]
    pub fn relation(&self, name: &str) -> Option<(&str, &Field)> {
        let is_column = |(column, field): &&(String, Field)| {
            matches!(&*field.kind, "RELATION" | "MORPH_RELATION") && column.strip_suffix("Id") == Some(name)
        };
        self.fields.iter().find(is_column).map(|(column, field)| (column.as_str(), field))
    }

    /// That there is no such field, or relation, with what may have been meant
    fn unknown_field(&self, name: &str, leads_on: bool) -> PathError {
        let names = self.fields.iter().flat_map(|(field, found)| {
            let relation = field.strip_suffix("Id").filter(|_| leads_on && found.kind == "RELATION");
            let name = relation.unwrap_or(field);
            [(field.as_str(), name), (name, name)]
        });
        let hint = nearest(name, names).map_or_else(String::new, |near| format!(", did you mean `{near}`?"));
        PathError::UnknownField { object: self.names.singular.clone(), field: name.to_owned(), hint }
    }
}

/// Most relations to one record that a path leads through
pub const MAX_RELATIONS: usize = 3;

/// What a path leads to
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// The relations to one record that it leads through, in their order
    pub relations: Vec<Relation<'a>>,
    /// The object that has the field
    pub object: &'a Object,
    /// The field's name: `status`, `amount`, `householdId`
    pub name: &'a str,
    /// The field
    pub field: &'a Field,
    /// The part of a composite field: `amountMicros`
    pub part: Option<&'a str>,
}

/// A relation to one record, on the way of a path
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation<'a> {
    /// The object that has it
    pub object: &'a Object,
    /// Its field with the other record's id: `donorId`
    pub column: &'a str,
}

/// Why a path leads nowhere
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// An object that the workspace does not have
    #[error(transparent)]
    UnknownObject(#[from] UnknownObject),
    /// A field that the object does not have
    #[error("`{object}` has no field `{field}`{hint}")]
    UnknownField {
        /// The object, in the singular
        object: String,
        /// The field
        field: String,
        /// What may have been meant, as the end of the sentence
        hint: String,
    },
    /// More relations than [`MAX_RELATIONS`]
    #[error("`{path}` leads through more than {MAX_RELATIONS} relations")]
    TooLong {
        /// The path
        path: String,
    },
    /// The metadata do not tell what a relation leads to, or it leads to several objects
    #[error("`{object}.{field}` leads to no one object")]
    NoTarget {
        /// The object that has the relation, in the singular
        object: String,
        /// The relation
        field: String,
    },
}

/// What a workspace has
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    objects: Vec<Object>,
}

/// An object name that leads nowhere
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no object `{name}` here{hint}")]
pub struct UnknownObject {
    /// The name that was asked for
    pub name: String,
    hint: String,
}

impl Schema {
    /// From the objects of the metadata
    #[must_use]
    pub fn new(objects: impl IntoIterator<Item = Object>) -> Self {
        Self { objects: objects.into_iter().collect() }
    }

    /// The object with this singular name
    ///
    /// # Examples
    ///
    /// ```
    /// use twenty::schema::{Names, Object, Schema};
    ///
    /// let schema = Schema::new([Object { names: Names::new("person", "people"), fields: Vec::new() }]);
    /// assert_eq!(schema.object("person").unwrap().names.plural, "people");
    /// assert!(schema.object("people").unwrap_err().to_string().ends_with("did you mean `person`?"));
    /// ```
    ///
    /// # Errors
    /// If there is none; the error hints at a plural or a near miss.
    pub fn object(&self, singular: &str) -> Result<&Object, UnknownObject> {
        self.objects.iter().find(|object| object.names.singular == singular).ok_or_else(|| UnknownObject {
            name: singular.to_owned(),
            hint: hint(singular, self.objects.iter().map(|object| &object.names)),
        })
    }

    /// What a path of an object's records leads to: a field, a part of one, or either of a related record
    ///
    /// # Examples
    ///
    /// ```
    /// let body = br#"{"data":[
    ///     {"nameSingular":"gift","namePlural":"gifts","fields":[{"name":"appeal","type":"RELATION",
    ///         "settings":{"joinColumnName":"appealId"},"relation":{"targetObjectMetadata":{"nameSingular":"appeal"}}}]},
    ///     {"nameSingular":"appeal","namePlural":"appeals","fields":[{"name":"goalAmount","type":"CURRENCY"}]}]}"#;
    /// let schema = twenty::schema::Schema::new(twenty::schema::read_objects(body).unwrap().objects);
    ///
    /// let path = schema.path("gift", "appeal.goalAmount.amountMicros")?;
    /// assert_eq!((path.relations[0].column, path.name, path.part), ("appealId", "goalAmount", Some("amountMicros")));
    /// assert!(schema.path("gift", "apeal.goalAmount").unwrap_err().to_string().ends_with("did you mean `appeal`?"));
    /// # Ok::<(), twenty::schema::PathError>(())
    /// ```
    ///
    /// # Errors
    /// If an object or a field of it is not there, or it leads through too many relations.
    pub fn path<'a>(&'a self, object: &str, path: &'a str) -> Result<Path<'a>, PathError> {
        let mut object = self.object(object)?;
        let (mut rest, mut relations) = (path, Vec::new());
        loop {
            let (name, below) = rest.split_once('.').map_or((rest, None), |(name, below)| (name, Some(below)));
            if let Some((name, field)) = object.fields.iter().find(|(other, _)| other == name) {
                return Ok(Path { relations, object, name, field, part: below });
            }
            let (Some(below), Some((column, field))) = (below, object.relation(name)) else {
                return Err(object.unknown_field(name, below.is_some()));
            };
            if relations.len() == MAX_RELATIONS {
                return Err(PathError::TooLong { path: path.to_owned() });
            }
            relations.push(Relation { object, column });
            let target = field
                .target
                .as_deref()
                .ok_or_else(|| PathError::NoTarget { object: object.names.singular.clone(), field: name.to_owned() })?;
            object = self.object(target)?;
            rest = below;
        }
    }
}

/// Names of an object when the metadata cannot be read: the overrides first, then the usual objects
///
/// # Examples
///
/// ```
/// use twenty::schema::names_without_metadata;
///
/// let overrides = [("fund".to_owned(), "funds".to_owned())];
/// assert_eq!(names_without_metadata("fund", &overrides).unwrap().plural, "funds");
/// assert_eq!(names_without_metadata("person", &[]).unwrap().plural, "people");
/// ```
///
/// # Errors
/// If the name is in neither.
pub fn names_without_metadata(singular: &str, overrides: &[(String, String)]) -> Result<Names, UnknownObject> {
    if let Some((_, plural)) = overrides.iter().find(|(name, _)| name == singular) {
        return Ok(Names::new(singular, plural));
    }
    if let Some((_, plural)) = KNOWN_PLURALS.iter().find(|(known, _)| *known == singular) {
        return Ok(Names::new(singular, *plural));
    }
    let known: Vec<Names> = KNOWN_PLURALS.iter().map(|(singular, plural)| Names::new(*singular, *plural)).collect();
    let mut hint = hint(singular, known.iter());
    if hint.is_empty() {
        hint = format!(
            ": the workspace's metadata could not be read, so name its plural in the configuration: \
             `\"objects\":{{\"{singular}\":\"…\"}}`"
        );
    }
    Err(UnknownObject { name: singular.to_owned(), hint })
}

fn hint<'a>(wrong: &str, names: impl Iterator<Item = &'a Names>) -> String {
    nearest(wrong, names.flat_map(|names| [(&*names.plural, &*names.singular), (&*names.singular, &*names.singular)]))
        .map_or_else(String::new, |near| format!(", did you mean `{near}`?"))
}

/// Of candidates `(spelling, answer)`, the answer whose spelling is nearest to the wrong word, if it is near enough:
/// a third of its letters may be wrong, or either may be the beginning of the other
pub fn nearest<'a>(wrong: &str, candidates: impl Iterator<Item = (&'a str, &'a str)>) -> Option<&'a str> {
    candidates
        .map(|(spelling, answer)| (wrong.to_ascii_lowercase(), spelling.to_ascii_lowercase(), answer))
        .map(|(wrong, spelling, answer)| {
            let begins =
                spelling.len().min(wrong.len()) > 2 && (spelling.starts_with(&wrong) || wrong.starts_with(&spelling));
            let letters = distance(&wrong, &spelling);
            // Of words equally near, the one with fewer wrong letters: `DATETIME` is `DATE_TIME` rather than `DATE`.
            (if begins { 1 } else { letters }, letters, answer)
        })
        .filter(|(distance, ..)| *distance <= (wrong.len() / 3).max(1))
        .min_by_key(|(distance, letters, _)| (*distance, *letters))
        .map(|(.., answer)| answer)
}

/// Number of letters to insert, delete or change (Levenshtein)
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, y) in row.iter_mut().skip(1).zip(b.chars()) {
            left = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = std::mem::replace(cell, left);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// One page of `GET /rest/metadata/objects`, in either of its two formats
#[derive(Debug)]
pub struct MetadataPage {
    /// Active objects, with their active fields
    pub objects: Vec<Object>,
    /// Where the next page starts, if there is one
    pub next: Option<String>,
}

/// Reads `{"data":{"objects":[…]},"pageInfo":…}` as well as `{"data":[…],"pageInfo":…}`; nothing if it is neither
///
/// The reply is read as a tree: it comes once a run, and types of its own would weigh more in the module than they save.
///
/// # Examples
///
/// ```
/// let body = br#"{"data":{"objects":[{"nameSingular":"gift","namePlural":"gifts","fields":[
///     {"name":"giftDate","type":"DATE"}]}]}}"#;
/// let page = twenty::schema::read_objects(body).unwrap();
/// assert_eq!(page.objects[0].field("giftDate").unwrap().kind, "DATE");
/// ```
#[must_use]
pub fn read_objects(body: &[u8]) -> Option<MetadataPage> {
    objects_of(&serde_json::from_slice(body).ok()?)
}

/// The same of a reply that is a tree already
#[must_use]
pub fn objects_of(reply: &Value) -> Option<MetadataPage> {
    let data = reply.get("data")?;
    let objects = data.get("objects").unwrap_or(data).as_array()?;
    let info = reply.get("pageInfo").filter(|info| info.get("hasNextPage") == Some(&Value::Bool(true)));
    let next = match info {
        // A page that cannot be gone on from would pass for the last one, and the objects behind it for missing.
        Some(info) => Some(text(info, "endCursor")?),
        None => None,
    };
    let objects = objects.iter().filter(|object| is_active(object)).map(read_object).collect::<Option<_>>()?;
    Some(MetadataPage { objects, next })
}

fn read_object(object: &Value) -> Option<Object> {
    let mut fields = Vec::new();
    // An object without a list of fields would pass for one whose fields were all renamed.
    for field in object.get("fields")?.as_array()?.iter().filter(|field| is_active(field)) {
        let column = field.get("settings").and_then(|settings| text(settings, "joinColumnName"));
        let target = field
            .get("relation")
            .and_then(|relation| relation.get("targetObjectMetadata"))
            .and_then(|target| text(target, "nameSingular"));
        let options = field.get("options").and_then(Value::as_array).into_iter().flatten();
        let options = options.filter_map(|option| text(option, "value")).collect();
        fields.push((column.or_else(|| text(field, "name"))?, Field { kind: text(field, "type")?, target, options }));
    }
    Some(Object {
        names: Names { singular: text(object, "nameSingular")?, plural: text(object, "namePlural")? },
        fields,
    })
}

fn is_active(thing: &Value) -> bool {
    thing.get("isActive") != Some(&Value::Bool(false))
}

fn text(object: &Value, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OBJECT: &str = r#"{"nameSingular":"gift","namePlural":"gifts","isActive":true,"fields":[
        {"name":"amount","type":"CURRENCY"},{"name":"old","type":"TEXT","isActive":false},
        {"name":"donor","type":"RELATION","settings":{"relationType":"MANY_TO_ONE","joinColumnName":"donorId"}},
        {"name":"notes","type":"RELATION","settings":{"relationType":"ONE_TO_MANY"}}]}"#;

    #[test]
    fn both_formats_of_the_metadata_are_read() {
        let info = r#""pageInfo":{"hasNextPage":true,"endCursor":"c1"}"#;
        for body in [
            format!(r#"{{"data":{{"objects":[{OBJECT}]}},{info},"totalCount":1}}"#),
            format!(r#"{{"data":[{OBJECT}],{info}}}"#),
        ] {
            let page = read_objects(body.as_bytes()).unwrap();
            assert_eq!(page.next.as_deref(), Some("c1"));
            let fields: Vec<_> = page.objects[0].fields.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(fields, ["amount", "donorId", "notes"]);
        }
        for broken in [
            r#"{"data":{}}"#,
            r#"{"data":[{"nameSingular":"gift","namePlural":"gifts"}]}"#,
            r#"{"data":[],"pageInfo":{"hasNextPage":true,"endCursor":null}}"#,
        ] {
            assert!(read_objects(broken.as_bytes()).is_none(), "{broken}");
        }
    }

    #[test]
    fn an_unknown_object_is_refused_with_a_hint() {
        let schema = Schema::new([
            Object { names: Names::new("gift", "gifts"), fields: Vec::new() },
            Object { names: Names::new("person", "people"), fields: Vec::new() },
        ]);
        for (wrong, message) in [
            ("gifts", "there is no object `gifts` here, did you mean `gift`?"),
            ("people", "there is no object `people` here, did you mean `person`?"),
            ("persom", "there is no object `persom` here, did you mean `person`?"),
            ("household", "there is no object `household` here"),
        ] {
            assert_eq!(schema.object(wrong).unwrap_err().to_string(), message);
        }
    }

    /// The nearest word, and of several as near the one with the fewest wrong letters
    #[test]
    fn nearest_words() {
        let near = |wrong, words: &[&'static str]| nearest(wrong, words.iter().map(|word| (*word, *word)));
        assert_eq!(near("DATETIME", &["DATE", "DATE_TIME"]), Some("DATE_TIME"));
        assert_eq!(near("dat", &["DATE_TIME", "DATE"]), Some("DATE"));
        assert_eq!(near("score", &["DATE"]), None);
    }

    #[test]
    fn paths_lead_through_relations() {
        let relation = |name: &str, target: Option<&str>| {
            let target = target.map_or(Value::Null, |name| json!({ "targetObjectMetadata": { "nameSingular": name } }));
            let settings = json!({ "joinColumnName": format!("{name}Id") });
            json!({ "name": name, "type": "RELATION", "settings": settings, "relation": target })
        };
        let field = |name: &str, kind: &str| json!({ "name": name, "type": kind });
        let body = json!({ "data": [
            { "nameSingular": "gift", "namePlural": "gifts", "fields": [
                field("amount", "CURRENCY"), relation("donor", Some("person")), relation("target", None), relation("fund", Some("fund")),
                { "name": "notes", "type": "RELATION", "settings": { "relationType": "ONE_TO_MANY" } }] },
            { "nameSingular": "person", "namePlural": "people", "fields": [
                field("id", "UUID"), field("name", "FULL_NAME"), relation("household", Some("household"))] },
            { "nameSingular": "household", "namePlural": "households", "fields": [relation("primaryContact", Some("person"))] },
        ] });
        let schema = Schema::new(objects_of(&body).unwrap().objects);
        let shown = |path: &str| match schema.path("gift", path) {
            Ok(path) => {
                let relations =
                    path.relations.iter().map(|each| format!("{}.{} ", each.object.names.singular, each.column));
                let part = path.part.map_or_else(String::new, |part| format!(" {part}"));
                relations.collect::<String>() + &format!("{}.{}{part}", path.object.names.singular, path.name)
            }
            Err(error) => error.to_string(),
        };
        for (path, leads_to) in [
            ("amount.amountMicros", "gift.amount amountMicros"),
            ("donorId", "gift.donorId"),
            ("donor.id", "gift.donorId person.id"),
            ("donor.name.lastName", "gift.donorId person.name lastName"),
            ("donor.household.primaryContactId", "gift.donorId person.householdId household.primaryContactId"),
            (
                "donor.household.primaryContact.name.lastName",
                "gift.donorId person.householdId household.primaryContactId person.name lastName",
            ),
            (
                "donor.household.primaryContact.household.id",
                "`donor.household.primaryContact.household.id` leads through more than 3 relations",
            ),
            ("donor", "`gift` has no field `donor`, did you mean `donorId`?"),
            ("donors.name", "`gift` has no field `donors`, did you mean `donor`?"),
            ("donor.nme.lastName", "`person` has no field `nme`, did you mean `name`?"),
            ("notes.body", "gift.notes body"),
            ("target.name", "`gift.target` leads to no one object"),
            ("fund.name", "there is no object `fund` here"),
        ] {
            assert_eq!(shown(path), leads_to, "{path}");
        }
        assert!(schema.path("gifts", "amount").is_err());
    }

    #[test]
    fn overrides_without_metadata() {
        let overrides = [("fund".to_owned(), "funds".to_owned())];
        let names = |singular| names_without_metadata(singular, &overrides);
        assert_eq!(names("person"), Ok(Names::new("person", "people")));
        assert_eq!(names("fund"), Ok(Names::new("fund", "funds")));
        assert_eq!(
            names("sheep").unwrap_err().to_string(),
            "there is no object `sheep` here: the workspace's metadata could not be read, so name its plural in the \
             configuration: `\"objects\":{\"sheep\":\"…\"}`"
        );
    }

    #[test]
    fn names_become_reply_keys() {
        let names = Names::new("giftStaging", "giftStagings");
        assert_eq!(
            (names.many("create"), names.one("update")),
            ("createGiftStagings".into(), "updateGiftStaging".into())
        );
    }
}
