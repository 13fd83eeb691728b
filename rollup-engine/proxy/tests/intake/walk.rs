//! One intake from the body to what is sent to Twenty, with Twenty's answers handed in.

use fundraising::client_error::ClientError;
use fundraising::donor::{self, Candidate, Dedupe, DonorLookup, MatchType};
use fundraising::fingerprint;
use fundraising::gift::create::Intake;
use fundraising::gift::{Gift, create, plausible};
use fundraising::payload::Payload;
use fundraising::receipt::{self, Receipt, Settings};
use fundraising::staging::State;
use fundraising::trust::{Diagnostics, may_auto_process};
use ports::{Form, Timestamp, UnicodeForms};
use serde_json::{Map, Value};

/// The recorded names have plain letters
struct Plain;

impl UnicodeForms for Plain {
    fn normalized(&self, text: &str, _: Form) -> String {
        text.to_owned()
    }
}

/// The service as it is set up, and what Twenty would answer
pub(crate) struct Setting<'a> {
    pub(crate) intake: Intake,
    pub(crate) auto_default: bool,
    pub(crate) receipts: Settings,
    pub(crate) duplicates: Option<&'a Value>,
    pub(crate) new_person: Option<&'a str>,
}

/// What came of it
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) lookup: Option<Value>,
    pub(crate) person: Option<Value>,
    pub(crate) gift: Gift,
    pub(crate) dedupe: Option<Dedupe>,
    pub(crate) receipt: Receipt,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) state: State,
}

impl Outcome {
    /// The payload that a staged row keeps
    pub(crate) fn raw_payload(&self) -> Map<String, Value> {
        let mut members = self.gift.to_json();
        members.extend(self.receipt.to_json());
        members.insert("processingDiagnostics".into(), self.diagnostics.to_json());
        if let Some(dedupe) = &self.dedupe {
            members.insert("dedupeDiagnostics".into(), dedupe.to_json());
        }
        members
    }
}

pub(crate) fn take(body: &[u8], setting: &Setting<'_>) -> Result<Outcome, ClientError> {
    let mut gift = create::read(&Payload::parse(body)?, setting.intake)?;
    plausible::check(&gift, Timestamp::parse("2026-03-02T10:00:00Z").unwrap())?;
    let links = setting.intake != Intake::Staging;
    let (mut lookup, mut person, mut dedupe) = (None, None, None);
    let mut make = |gift: &mut Gift, described: &donor::Person| {
        if links {
            person = Some(described.to_json());
            gift.donor_id = setting.new_person.map(str::to_owned);
        }
    };
    match donor::lookup_for(&gift, &Plain) {
        DonorLookup::NotNeeded | DonorLookup::Nameless => {}
        DonorLookup::LookUp(described) if described.email.is_none() => make(&mut gift, &described),
        DonorLookup::LookUp(described) => {
            lookup = Some(described.to_json());
            let candidates = Candidate::read_all(setting.duplicates.expect("an answer to the look-up"));
            dedupe = donor::decide(&described, &candidates, &Plain);
            match dedupe.as_ref().map(|dedupe| dedupe.match_type) {
                Some(MatchType::Email) if links => {
                    gift.donor_id = dedupe.as_ref().map(|dedupe| dedupe.matched.clone());
                }
                Some(MatchType::Name) if setting.intake == Intake::Direct => make(&mut gift, &described),
                None => make(&mut gift, &described),
                Some(_) => {}
            }
        }
    }
    gift.source_fingerprint = Some(fingerprint::of(&gift, "request-1"));
    let receipt = receipt::decide(&gift, Receipt::default(), &setting.receipts);
    let diagnostics = Diagnostics::of(&gift, dedupe.as_ref());
    let itself = links && may_auto_process(&gift, &diagnostics, dedupe.as_ref(), setting.auto_default);
    gift.auto_process = Some(itself);
    Ok(Outcome { lookup, person, gift, dedupe, receipt, diagnostics, state: State::initial(itself) })
}
