//! Objects, fields and the columns below them.
//!
//! A field of a composite type has several columns (its parts), a relation has the column that holds the other
//! record's id. Every object has the system fields; all else is added by `standard` or through the metadata API.

use serde_json::Value;
use uuid::Uuid;

/// Where a part's value is kept
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Id,
    CreatedAt,
    UpdatedAt,
    DeletedAt,
    Position,
    /// Made from the name when it is read
    Search,
    CreatedBy(ActorPart),
    UpdatedBy(ActorPart),
    /// One of the row's own cells
    Cell(usize),
}

/// A part of `createdBy` and `updatedBy`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActorPart {
    Source,
    WorkspaceMember,
    Name,
    Context,
}

/// What a part accepts, and how it reads when it is null
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PartKind {
    /// Null reads as the empty text
    Text,
    /// A text whose null reads as null
    Code,
    /// A number that may be sent as a text, and is cut to an integer when it is read
    Micros,
    Number,
    Bool,
    Id,
    Date,
    Time,
    /// One of the field's options
    Choice,
    /// Several of the field's options; null reads as `[]`
    Choices,
    /// Texts; null reads as `[]`
    Texts,
    /// A JSON list inside a composite; null reads as `[]`
    JsonList,
    Json,
}

/// One column of a field
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Sub-field name; empty for a field with a single column
    pub(crate) name: &'static str,
    pub(crate) kind: PartKind,
    pub(crate) slot: Slot,
}

/// What a field is to the record
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// One column under the field's own name
    Plain,
    /// Several columns in an object
    Composite,
    /// The one side's id, under `join`
    ManyToOne { target: Option<usize>, join: String },
    /// The many side: rows of `target` whose cell `slot` is this record; without a target, always empty
    OneToMany { target: Option<usize>, slot: usize },
}

/// One field
#[expect(clippy::struct_excessive_bools, reason = "they are members of the metadata API")]
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) description: Option<String>,
    pub(crate) icon: Option<String>,
    /// Type as the metadata API names it
    pub(crate) kind: String,
    pub(crate) shape: Shape,
    pub(crate) parts: Vec<Part>,
    pub(crate) options: Value,
    pub(crate) default_value: Value,
    pub(crate) settings: Value,
    pub(crate) is_unique: bool,
    pub(crate) is_nullable: bool,
    pub(crate) is_active: bool,
    pub(crate) is_system: bool,
    pub(crate) is_custom: bool,
}

impl Field {
    /// The part of that name; the only one where the field is not composite
    pub(crate) fn part(&self, name: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The only part of a plain field
    pub(crate) fn single(&self) -> Option<&Part> {
        self.parts.first().filter(|_| self.shape != Shape::Composite)
    }

    /// Values of a `SELECT` or `MULTI_SELECT`
    pub(crate) fn option_values(&self) -> impl Iterator<Item = &str> {
        self.options.as_array().into_iter().flatten().filter_map(|option| option.get("value")?.as_str())
    }
}

/// One object
#[expect(clippy::struct_excessive_bools, reason = "they are members of the metadata API")]
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) id: Uuid,
    pub(crate) singular: String,
    pub(crate) plural: String,
    pub(crate) label_singular: String,
    pub(crate) label_plural: String,
    pub(crate) description: Option<String>,
    pub(crate) icon: Option<String>,
    pub(crate) is_custom: bool,
    pub(crate) is_active: bool,
    pub(crate) is_label_synced: bool,
    pub(crate) fields: Vec<Field>,
    /// Number of cells that a row has
    pub(crate) width: usize,
    /// Deleted objects keep their place, so that numbers stay valid
    pub(crate) is_gone: bool,
}

impl Object {
    /// The field of that name
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The relation whose id column has that name
    pub(crate) fn joined_by(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| matches!(&field.shape, Shape::ManyToOne { join, .. } if join == name))
    }

    /// Table name, as it stands in the database's own messages
    pub(crate) fn table(&self) -> String {
        if self.is_custom { format!("_{}", self.singular) } else { self.singular.clone() }
    }

    /// A reserved cell
    pub(crate) fn take_cell(&mut self) -> Slot {
        self.width += 1;
        Slot::Cell(self.width - 1)
    }

    /// Cells that must be unique, with their fields
    pub(crate) fn unique_cells(&self) -> impl Iterator<Item = (usize, &Field)> {
        self.fields.iter().filter(|field| field.is_unique).filter_map(|field| {
            let part = field.parts.iter().find(|part| !matches!(part.kind, PartKind::JsonList))?;
            let part = match field.kind.as_str() {
                "LINKS" => field.part("primaryLinkUrl")?,
                _ => part,
            };
            match part.slot {
                Slot::Cell(cell) => Some((cell, field)),
                _ => None,
            }
        })
    }

    /// Cells that hold ids of other records, with the object they belong to
    pub(crate) fn links(&self) -> impl Iterator<Item = (usize, usize, &Field)> {
        self.fields.iter().filter_map(|field| match (&field.shape, field.parts.first()?.slot) {
            (Shape::ManyToOne { target: Some(target), .. }, Slot::Cell(cell)) => Some((cell, *target, field)),
            _ => None,
        })
    }
}

/// All objects of a workspace
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    pub(crate) objects: Vec<Object>,
}

impl Schema {
    pub(crate) fn object(&self, number: usize) -> Option<&Object> {
        self.objects.get(number).filter(|object| !object.is_gone)
    }

    pub(crate) fn by_singular(&self, name: &str) -> Option<usize> {
        self.objects.iter().position(|object| !object.is_gone && object.singular == name)
    }

    pub(crate) fn by_plural(&self, name: &str) -> Option<usize> {
        self.objects.iter().position(|object| !object.is_gone && object.plural == name)
    }

    pub(crate) fn by_id(&self, id: Uuid) -> Option<usize> {
        self.objects.iter().position(|object| !object.is_gone && object.id == id)
    }

    /// Where a field is, by its id
    pub(crate) fn field_place(&self, id: Uuid) -> Option<(usize, usize)> {
        self.objects
            .iter()
            .enumerate()
            .filter(|(_, object)| !object.is_gone)
            .find_map(|(number, object)| object.fields.iter().position(|field| field.id == id).map(|at| (number, at)))
    }
}

/// Sub-fields of a composite type
pub(crate) fn composite_parts(kind: &str) -> Option<&'static [(&'static str, PartKind)]> {
    Some(match kind {
        "CURRENCY" => &[("amountMicros", PartKind::Micros), ("currencyCode", PartKind::Code)],
        "FULL_NAME" => &[("firstName", PartKind::Text), ("lastName", PartKind::Text)],
        "EMAILS" => &[("primaryEmail", PartKind::Text), ("additionalEmails", PartKind::JsonList)],
        "PHONES" => &[
            ("primaryPhoneNumber", PartKind::Text),
            ("primaryPhoneCountryCode", PartKind::Text),
            ("primaryPhoneCallingCode", PartKind::Text),
            ("additionalPhones", PartKind::JsonList),
        ],
        "LINKS" => &[
            ("primaryLinkLabel", PartKind::Text),
            ("primaryLinkUrl", PartKind::Text),
            ("secondaryLinks", PartKind::JsonList),
        ],
        "ADDRESS" => &[
            ("addressStreet1", PartKind::Text),
            ("addressStreet2", PartKind::Text),
            ("addressCity", PartKind::Text),
            ("addressPostcode", PartKind::Text),
            ("addressState", PartKind::Text),
            ("addressCountry", PartKind::Text),
            ("addressLat", PartKind::Number),
            ("addressLng", PartKind::Number),
        ],
        "RICH_TEXT" => &[("blocknote", PartKind::Code), ("markdown", PartKind::Code)],
        _ => return None,
    })
}

/// Column of a type that is not composite
pub(crate) fn plain_part(kind: &str) -> Option<PartKind> {
    Some(match kind {
        "TEXT" => PartKind::Text,
        "NUMBER" | "NUMERIC" | "POSITION" => PartKind::Number,
        "BOOLEAN" => PartKind::Bool,
        "UUID" => PartKind::Id,
        "DATE" => PartKind::Date,
        "DATE_TIME" => PartKind::Time,
        "SELECT" | "RATING" => PartKind::Choice,
        "MULTI_SELECT" => PartKind::Choices,
        "ARRAY" => PartKind::Texts,
        "RAW_JSON" | "FILES" => PartKind::Json,
        "TS_VECTOR" => PartKind::Code,
        _ => return None,
    })
}

/// Every type that the metadata API knows
pub(crate) const TYPES: [&str; 25] = [
    "ACTOR",
    "ADDRESS",
    "ARRAY",
    "BOOLEAN",
    "CURRENCY",
    "DATE",
    "DATE_TIME",
    "EMAILS",
    "FILES",
    "FULL_NAME",
    "LINKS",
    "MORPH_RELATION",
    "MULTI_SELECT",
    "NUMBER",
    "NUMERIC",
    "PHONES",
    "POSITION",
    "RATING",
    "RAW_JSON",
    "RELATION",
    "RICH_TEXT",
    "SELECT",
    "TEXT",
    "TS_VECTOR",
    "UUID",
];
