//! Filling a sandbox: a schema with rows from a fixture, gifts from a CSV file.

use std::io::Read;
use std::sync::Arc;

use bigdecimal::{BigDecimal, ToPrimitive};
use ports::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::cell::Cell;
use crate::dates;
use crate::direct::{DirectError, author};
use crate::input;
use crate::metadata;
use crate::schema::{Schema, Slot};
use crate::state::Sandbox;
use crate::table::{Actor, Row};
use crate::tokens::system_actor;

/// Why something could not be loaded
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The fixture is not what it should be
    #[error("fixture: {0}")]
    Fixture(String),
    /// A line of the gifts cannot be read
    #[error("gifts, line {line}: {reason}")]
    Gifts {
        /// Line of the file, counted from 1
        line: u64,
        /// What is wrong with it
        reason: String,
    },
}

impl From<DirectError> for LoadError {
    fn from(error: DirectError) -> Self {
        Self::Fixture(error.to_string())
    }
}

/// The currency codes met so far
#[derive(Debug, Default)]
struct Codes(Vec<Arc<str>>);

impl Codes {
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(code) = self.0.iter().find(|code| &***code == text) {
            return code.clone();
        }
        let code: Arc<str> = text.into();
        self.0.push(code.clone());
        code
    }
}

/// One line of the gifts
#[derive(Debug, serde::Deserialize)]
struct GiftLine {
    donor: String,
    gift_date: String,
    amount: String,
    currency: String,
}

/// The columns that gifts have
const COLUMNS: [&str; 4] = ["donor", "gift_date", "amount", "currency"];

/// Sees that the first line names the columns; what is no text at all cannot be read from here on.
fn check_columns(headers: Result<&csv::StringRecord, csv::Error>) -> Result<(), LoadError> {
    let wrong = |reason: String| LoadError::Gifts { line: 1, reason };
    let headers = headers.map_err(|error| wrong(error.to_string()))?;
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|name| !headers.iter().any(|own| own == *name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(wrong(format!(
        "expected the names of the columns {}, and {} is not there",
        COLUMNS.join(","),
        missing.join(",")
    )))
}

const ROLLUP_FIELDS: [(&str, &str); 6] = [
    ("CURRENCY", "lifetimeGiftAmount"),
    ("NUMBER", "lifetimeGiftCount"),
    ("CURRENCY", "yearToDateGiftAmount"),
    ("NUMBER", "yearToDateGiftCount"),
    ("DATE", "firstGiftDate"),
    ("DATE", "lastGiftDate"),
];

impl Sandbox {
    /// A default sandbox that has [gifts](Self::ensure_gift_schema)
    #[must_use]
    pub fn with_gift_schema() -> Self {
        let mut sandbox = Self::default();
        sandbox.ensure_gift_schema();
        sandbox
    }

    /// Makes the objects `appeal` and `gift`, and the rollup fields of person, company and appeal, as far as they are
    /// missing.
    pub fn ensure_gift_schema(&mut self) {
        // Each call is refused only where the thing exists already, which is as good.
        let _ = self.add_object("appeal", "appeals");
        let _ = self.add_object("gift", "gifts");
        for (kind, name) in ROLLUP_FIELDS {
            let _ = self.add_field("person", kind, name, &[]);
            let _ = self.add_field("company", kind, name, &[]);
        }
        let _ = self.add_field("appeal", "CURRENCY", "raisedAmount", &[]);
        let _ = self.add_field("appeal", "NUMBER", "giftCount", &[]);
        let _ = self.add_field("gift", "CURRENCY", "amount", &[]);
        let _ = self.add_field("gift", "DATE", "giftDate", &[]);
        let _ = self.add_field("gift", "TEXT", "status", &[]);
        let _ = self.add_relation("gift", "donor", "person", "gifts");
        let _ = self.add_relation("gift", "company", "company", "gifts");
        let _ = self.add_relation("gift", "appeal", "appeal", "gifts");
    }

    /// Loads gifts from CSV with the columns `donor,gift_date,amount,currency`: each donor becomes a person with the
    /// e-mail `donor-<donor>@example.org`, each line a gift. Ids follow from the lines. The number of gifts
    ///
    /// # Examples
    ///
    /// ```
    /// use ports::Timestamp;
    /// use sandbox::Sandbox;
    ///
    /// let mut sandbox = Sandbox::default();
    /// let csv = "donor,gift_date,amount,currency\n17,2026-03-05,12.50,GBP\n17,2026-04-05,10.00,GBP\n";
    /// assert_eq!(sandbox.load_gifts_csv(csv.as_bytes(), Timestamp::from_millis(0)).unwrap(), 2);
    /// assert_eq!((sandbox.count("person"), sandbox.count("gift")), (1, 2));
    /// ```
    ///
    /// # Errors
    ///
    /// The first line that cannot be read; the lines before it are loaded.
    pub fn load_gifts_csv(&mut self, reader: impl Read, now: Timestamp) -> Result<usize, LoadError> {
        self.ensure_gift_schema();
        let places = GiftPlaces::find(&self.main.schema)
            .ok_or_else(|| LoadError::Fixture("the gift object lacks the fields that gifts need".to_owned()))?;
        let mut lines = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(reader);
        check_columns(lines.headers())?;
        let mut codes = Codes::default();
        let (actor, mut loaded) = (system_actor(), 0_usize);
        for line in lines.deserialize::<GiftLine>() {
            let line_number = u64::try_from(loaded).unwrap_or(u64::MAX) + 2;
            let wrong = |reason: String| LoadError::Gifts { line: line_number, reason };
            let line = line.map_err(|error| wrong(error.to_string()))?;
            let amount: BigDecimal = line
                .amount
                .parse()
                .map_err(|_| wrong(format!("amount `{}`: expected a decimal number", line.amount)))?;
            let micros = (amount * BigDecimal::from(1_000_000)).to_f64();
            let date = dates::date(&line.gift_date)
                .ok_or_else(|| wrong(format!("gift_date `{}`: expected YYYY-MM-DD", line.gift_date)))?;
            // All gifts of a currency share one text.
            let code = codes.shared(&line.currency);
            let donor = self.donor(&places, &line.donor, &actor, now);
            loaded += 1;
            let text = format!("gift {loaded} {} {} {}", line.donor, line.gift_date, line.amount);
            let mut cells = vec![Cell::Null; places.gift_width];
            for (place, cell) in [
                (places.micros, micros.map_or(Cell::Null, Cell::Number)),
                (places.code, if code.is_empty() { Cell::Null } else { Cell::Text(code) }),
                (places.date, Cell::Date(date)),
                (places.donor, Cell::Id(donor)),
            ] {
                if let Some(slot) = cells.get_mut(place) {
                    *slot = cell;
                }
            }
            let row = new_row(&actor, now, loaded, cells);
            if let Some(table) = self.main.table_mut(places.gift) {
                table.put(Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()), row);
            }
        }
        Ok(loaded)
    }

    fn donor(&mut self, places: &GiftPlaces, donor: &str, actor: &Arc<Actor>, now: Timestamp) -> Uuid {
        let email = format!("donor-{donor}@example.org").to_lowercase();
        let Some(table) = self.main.table_mut(places.person) else { return Uuid::nil() };
        if let Some(id) = table.holder(places.email, &email) {
            return id;
        }
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, email.as_bytes());
        let mut row = new_row(actor, now, table.len() + 1, vec![Cell::Null; places.person_width]);
        row.set(places.first_name, Cell::text("Donor"));
        row.set(places.last_name, Cell::text(donor));
        row.set(places.email, Cell::text(&email));
        table.put(id, row);
        id
    }

    /// Loads a fixture: `schema.objects` with their fields, and the rows of one dataset (by default `base`).
    ///
    /// # Errors
    ///
    /// A fixture that is not JSON, names something unknown, or holds rows that the API would refuse.
    pub fn load_fixture(&mut self, text: &str, dataset: Option<&str>, now: Timestamp) -> Result<(), LoadError> {
        let fixture: Value = serde_json::from_str(text).map_err(|error| LoadError::Fixture(error.to_string()))?;
        self.load_schema(fixture.get("schema").unwrap_or(&Value::Null))?;
        let order = fixture.get("loadOrder").and_then(Value::as_array).cloned().unwrap_or_default();
        let order: Vec<&str> = order.iter().filter_map(Value::as_str).collect();
        self.load_dataset(&fixture, dataset.unwrap_or("base"), &order, now)?;
        self.main.events.drain();
        self.main.outbox.clear();
        Ok(())
    }

    fn load_schema(&mut self, schema: &Value) -> Result<(), LoadError> {
        let objects = schema.get("objects").and_then(Value::as_array).cloned().unwrap_or_default();
        let refused = |error| LoadError::from(DirectError::from(error));
        for object in &objects {
            let name = object.get("nameSingular").and_then(Value::as_str).unwrap_or_default();
            if self.main.schema.by_singular(name).is_none() {
                metadata::create_object(&mut self.main, object).map_err(refused)?;
            }
        }
        for object in &objects {
            let name = object.get("nameSingular").and_then(Value::as_str).unwrap_or_default();
            for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
                let Some(known) = self.main.schema.by_singular(name).and_then(|number| self.main.schema.object(number))
                else {
                    continue;
                };
                let field_name = field.get("name").and_then(Value::as_str).unwrap_or_default();
                if known.field(field_name).is_some() {
                    continue;
                }
                let mut payload: Map<String, Value> = field.as_object().cloned().unwrap_or_default();
                payload.insert("objectMetadataId".into(), json!(known.id));
                if let Some(mut relation) = payload.remove("relation") {
                    let target = relation.get("target").and_then(Value::as_str).unwrap_or_default();
                    let target =
                        self.main.schema.by_singular(target).and_then(|number| self.main.schema.object(number));
                    let id = target.map(|target| target.id);
                    if let (Some(members), Some(id)) = (relation.as_object_mut(), id) {
                        members.insert("targetObjectMetadataId".into(), json!(id));
                    }
                    payload.insert("relationCreationPayload".into(), relation);
                }
                metadata::create_field(&mut self.main, &Value::Object(payload)).map_err(refused)?;
            }
        }
        Ok(())
    }

    fn load_dataset(&mut self, fixture: &Value, name: &str, order: &[&str], now: Timestamp) -> Result<(), LoadError> {
        let dataset = fixture
            .get("datasets")
            .and_then(|datasets| datasets.get(name))
            .ok_or_else(|| LoadError::Fixture(format!("no dataset `{name}`")))?;
        if let Some(parent) = dataset.get("extends").and_then(Value::as_str) {
            self.load_dataset(fixture, parent, order, now)?;
        }
        let refused = |error| LoadError::from(DirectError::from(error));
        let author = author(now);
        for singular in order {
            let rows = dataset.get("rows").and_then(|rows| rows.get(singular)).and_then(Value::as_array);
            let Some(number) = self.main.schema.by_singular(singular) else { continue };
            let Some(object) = self.main.schema.object(number).cloned() else { continue };
            let drafts: Result<Vec<_>, _> =
                rows.into_iter().flatten().map(|row| input::read(&self.main, &object, row)).collect();
            self.main.create(number, drafts.map_err(refused)?, &author).map_err(refused)?;
            let deleted = dataset.get("softDeleted").and_then(|lists| lists.get(singular)).and_then(Value::as_array);
            let deleted: Vec<Uuid> = deleted.into_iter().flatten().filter_map(input::uuid).collect();
            self.main.soft_delete(number, &deleted, &author);
        }
        Ok(())
    }
}

fn new_row(actor: &Arc<Actor>, now: Timestamp, position: usize, cells: Vec<Cell>) -> Row {
    Row {
        created_at: now.as_millis(),
        updated_at: now.as_millis(),
        deleted_at: None,
        position: position.to_f64().unwrap_or(0.0),
        created_by: actor.clone(),
        updated_by: actor.clone(),
        cells,
    }
}

/// Numbers of the cells that gifts and donors are written to
struct GiftPlaces {
    gift: usize,
    gift_width: usize,
    micros: usize,
    code: usize,
    date: usize,
    donor: usize,
    person: usize,
    person_width: usize,
    first_name: usize,
    last_name: usize,
    email: usize,
}

impl GiftPlaces {
    fn find(schema: &Schema) -> Option<Self> {
        let (gift, person) = (schema.by_singular("gift")?, schema.by_singular("person")?);
        let cell = |object: usize, field: &str, part: &str| {
            let object = schema.object(object)?;
            let field = object.field(field).or_else(|| object.joined_by(field))?;
            match field.part(part)?.slot {
                Slot::Cell(cell) => Some(cell),
                _ => None,
            }
        };
        Some(Self {
            gift,
            gift_width: schema.object(gift)?.width,
            micros: cell(gift, "amount", "amountMicros")?,
            code: cell(gift, "amount", "currencyCode")?,
            date: cell(gift, "giftDate", "")?,
            donor: cell(gift, "donorId", "")?,
            person,
            person_width: schema.object(person)?.width,
            first_name: cell(person, "name", "firstName")?,
            last_name: cell(person, "name", "lastName")?,
            email: cell(person, "emails", "primaryEmail")?,
        })
    }
}
