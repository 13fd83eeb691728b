//! Whether a webhook was sent by whom it claims to be from.
//!
//! Signatures are over the body's bytes as they arrived, so this must be asked before anything parses them. It decides
//! and forgets: whether the same event came before is not known here. Comparisons take constant time.

use hmac::{Hmac, Mac};
use ports::Timestamp;
use sha2::Sha256;

use crate::client_error::{ClientError, Status};

/// Seconds by which a Stripe signature may be older or newer than now; older ones could be replays
pub const TOLERANCE_SECONDS: u64 = 300;

/// Why a webhook is not believed
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// This service has no secret to check with
    #[error("no signing secret is configured")]
    NotConfigured,
    /// No signature came along
    #[error("there is no signature header")]
    Missing,
    /// The header is not of the provider's form, or has no signature of a known scheme
    #[error("the signature header cannot be read")]
    Malformed,
    /// No signature fits the secret and the body
    #[error("no signature fits the body")]
    Mismatch,
    /// Signed too long ago, or in the future
    #[error("the signature is more than {TOLERANCE_SECONDS} s old or ahead")]
    OutsideTolerance,
}

impl SignatureError {
    /// A stable word for programs
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "signature_not_configured",
            Self::Missing => "signature_missing",
            Self::Malformed => "signature_malformed",
            Self::Mismatch => "signature_mismatch",
            Self::OutsideTolerance => "signature_outside_tolerance",
        }
    }

    /// What Stripe is answered: the cause is not told to a stranger
    #[must_use]
    pub fn to_stripe(self) -> ClientError {
        match self {
            Self::NotConfigured => ClientError::new(Status::ServiceUnavailable, "Stripe webhook not configured"),
            Self::Missing => ClientError::bad("Missing stripe-signature header"),
            _ => ClientError::bad("Invalid Stripe signature"),
        }
    }

    /// What `GoCardless` is answered: 498 is the status that it asks for
    #[must_use]
    pub fn to_gocardless(self) -> ClientError {
        match self {
            Self::NotConfigured => ClientError::new(Status::ServiceUnavailable, "GoCardless webhook not configured"),
            Self::Missing => ClientError::new(Status::InvalidToken, "Missing webhook-signature header"),
            _ => ClientError::new(Status::InvalidToken, "Invalid GoCardless signature"),
        }
    }
}

/// Checks Stripe's `Stripe-Signature: t=<unix>,v1=<hex>[,v1=<hex>…]`
///
/// One fitting `v1` is enough, as there are two while a secret is rotated; other schemes are ignored. The time is part
/// of what is signed.
///
/// # Examples
///
/// ```
/// use fundraising::signature::{SignatureError, stripe};
/// use ports::Timestamp;
///
/// let now = Timestamp::from_millis(1_000_000);
/// assert_eq!(stripe(Some("t=1000,v1=00"), b"{}", Some("whsec_1"), now), Err(SignatureError::Mismatch));
/// assert_eq!(stripe(Some("t=1000,v1=00"), b"{}", None, now), Err(SignatureError::NotConfigured));
/// ```
///
/// # Errors
/// Why the webhook is not to be believed.
pub fn stripe(header: Option<&str>, body: &[u8], secret: Option<&str>, now: Timestamp) -> Result<(), SignatureError> {
    let secret = configured(secret)?;
    let header = header.filter(|header| !header.trim().is_empty()).ok_or(SignatureError::Missing)?;
    let mut signed_at = None;
    let mut signatures = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", text)) if signed_at.is_none() => signed_at = Some(text),
            Some(("t", _)) => return Err(SignatureError::Malformed),
            Some(("v1", hex)) => signatures.push(hex),
            Some(_) | None => {}
        }
    }
    let signed_at = signed_at.ok_or(SignatureError::Malformed)?;
    let seconds = unix_seconds(signed_at).ok_or(SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let mac = mac(secret)?.chain_update(signed_at).chain_update(".").chain_update(body);
    if !signatures.iter().any(|hex| fits(&mac, hex)) {
        return Err(SignatureError::Mismatch);
    }
    let now_seconds = now.as_millis().div_euclid(1_000);
    if now_seconds.abs_diff(seconds) > TOLERANCE_SECONDS {
        return Err(SignatureError::OutsideTolerance);
    }
    Ok(())
}

/// Checks the `Webhook-Signature: <hex>` of `GoCardless`
///
/// It carries no time, so that only remembering event ids protects from replays.
///
/// # Examples
///
/// ```
/// use fundraising::signature::gocardless;
///
/// // HMAC-SHA-256 of the body under the secret, in hexadecimal.
/// let signature = "77325902caca812dc259733aacd046b73817372c777b8d95b402647474516e13";
/// assert_eq!(gocardless(Some(signature), b"{}", Some("secret")), Ok(()));
/// assert!(gocardless(Some(signature), b"{ }", Some("secret")).is_err());
/// ```
///
/// # Errors
/// Why the webhook is not to be believed.
pub fn gocardless(header: Option<&str>, body: &[u8], secret: Option<&str>) -> Result<(), SignatureError> {
    let secret = configured(secret)?;
    let header = header.map(str::trim).filter(|header| !header.is_empty()).ok_or(SignatureError::Missing)?;
    if hex::decode(header).is_err() {
        return Err(SignatureError::Malformed);
    }
    let mac = mac(secret)?.chain_update(body);
    if fits(&mac, header) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Whether a caller knows a secret
#[must_use]
pub fn is_secret(given: &str, secret: &str) -> bool {
    let digest = |text: &str| Some(mac(secret).ok()?.chain_update(text));
    let expected = digest(secret).map(|mac| mac.finalize().into_bytes());
    digest(given).zip(expected).is_some_and(|(mac, expected)| mac.verify(&expected).is_ok())
}

/// A blank secret is none: anybody could sign with it.
fn configured(secret: Option<&str>) -> Result<&str, SignatureError> {
    secret.filter(|secret| !secret.trim().is_empty()).ok_or(SignatureError::NotConfigured)
}

fn mac(secret: &str) -> Result<Hmac<Sha256>, SignatureError> {
    Hmac::new_from_slice(secret.as_bytes()).map_err(|_| SignatureError::NotConfigured)
}

fn fits(mac: &Hmac<Sha256>, hex: &str) -> bool {
    hex::decode(hex).is_ok_and(|signature| mac.clone().verify_slice(&signature).is_ok())
}

fn unix_seconds(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "whsec_test";
    const BODY: &[u8] = br#"{"id":"evt_1"}"#;
    const NOW: i64 = 1_772_442_003;

    fn sign(secret: &str, parts: &[&[u8]]) -> String {
        let mut mac = mac(secret).unwrap();
        for part in parts {
            mac.update(part);
        }
        hex::encode(mac.finalize().into_bytes())
    }

    fn v1(secret: &str, signed_at: i64) -> String {
        sign(secret, &[signed_at.to_string().as_bytes(), b".", BODY])
    }

    fn check(header: &str) -> Result<(), SignatureError> {
        stripe(Some(header), BODY, Some(SECRET), Timestamp::from_millis(NOW * 1_000))
    }

    #[test]
    fn the_published_test_vector_is_met() {
        // RFC 4231, test case 2.
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign("Jefe", &[b"what do ya want for nothing?"]), expected);
        assert_eq!(gocardless(Some(expected), b"what do ya want for nothing?", Some("Jefe")), Ok(()));
    }

    #[test]
    fn one_fitting_signature_is_enough() {
        let (good, foreign) = (v1(SECRET, NOW), v1("whsec_rotated_out", NOW));
        assert_eq!(check(&format!("t={NOW},v1={good}")), Ok(()));
        assert_eq!(check(&format!("t={NOW},v1={foreign},v1={good}")), Ok(()));
        assert_eq!(check(&format!("v1=zz, v0={foreign}, v1={good}, t={NOW}")), Ok(()));
        assert_eq!(check(&format!("t={NOW},v1={foreign}")), Err(SignatureError::Mismatch));
        assert_eq!(check(&format!("t={NOW},v1={}", &good[..62])), Err(SignatureError::Mismatch));
    }

    #[test]
    fn signed_time_must_be_near() {
        for (age, expected) in [
            (300, Ok(())),
            (-300, Ok(())),
            (301, Err(SignatureError::OutsideTolerance)),
            (-301, Err(SignatureError::OutsideTolerance)),
        ] {
            let signed_at = NOW - age;
            assert_eq!(check(&format!("t={signed_at},v1={}", v1(SECRET, signed_at))), expected, "{age}");
        }
        assert_eq!(check(&format!("t={},v1={}", NOW - 1, v1(SECRET, NOW))), Err(SignatureError::Mismatch));
    }

    #[test]
    fn another_body_does_not_fit() {
        let header = format!("t={NOW},v1={}", v1(SECRET, NOW));
        let now = Timestamp::from_millis(NOW * 1_000);
        assert_eq!(stripe(Some(&header), b"{}", Some(SECRET), now), Err(SignatureError::Mismatch));
        assert_eq!(gocardless(Some(&sign(SECRET, &[BODY])), b"{}", Some(SECRET)), Err(SignatureError::Mismatch));
    }

    #[test]
    fn malformed_and_missing_headers() {
        let good = v1(SECRET, NOW);
        for header in [
            "garbage".to_owned(),
            format!("v1={good}"),
            format!("t={NOW}"),
            format!("t=,v1={good}"),
            format!("t=-{NOW},v1={good}"),
            format!("t={NOW},t={NOW},v1={good}"),
            format!("t={NOW}9999999999999,v1={good}"),
            format!("t={NOW},v0={good}"),
        ] {
            assert_eq!(check(&header), Err(SignatureError::Malformed), "{header}");
        }
        assert_eq!(check(" "), Err(SignatureError::Missing));
        assert_eq!(gocardless(Some("xyz"), BODY, Some(SECRET)), Err(SignatureError::Malformed));
        assert_eq!(gocardless(None, BODY, Some(SECRET)), Err(SignatureError::Missing));
    }

    #[test]
    fn a_blank_secret_is_no_secret() {
        let header = format!("t={NOW},v1={}", v1("", NOW));
        let now = Timestamp::from_millis(NOW * 1_000);
        for secret in [None, Some(""), Some(" ")] {
            assert_eq!(stripe(Some(&header), BODY, secret, now), Err(SignatureError::NotConfigured));
            assert_eq!(gocardless(Some(&sign("", &[BODY])), BODY, secret), Err(SignatureError::NotConfigured));
        }
    }

    #[test]
    fn strangers_are_not_told_the_cause() {
        for cause in [SignatureError::Malformed, SignatureError::Mismatch, SignatureError::OutsideTolerance] {
            assert_eq!(cause.to_stripe(), ClientError::bad("Invalid Stripe signature"));
            assert_eq!(cause.to_gocardless().status.code(), 498);
        }
        assert_eq!(SignatureError::Missing.to_stripe(), ClientError::bad("Missing stripe-signature header"));
        assert_eq!(SignatureError::NotConfigured.to_stripe().status.code(), 503);
    }

    proptest! {
        #[test]
        fn no_header_and_no_body_panics(
            header in "(t=[0-9]{0,25}|v1=[0-9a-f]{0,70}|\\PC{0,20})(,(t=-?[0-9]{0,25}|v1=\\PC{0,70}|,|=)){0,4}",
            body in proptest::collection::vec(any::<u8>(), 0..64),
            secret in "\\PC{0,80}",
            now: i64,
        ) {
            let now = Timestamp::from_millis(now);
            prop_assert!(stripe(Some(&header), &body, Some(&secret), now).is_err());
            prop_assert!(gocardless(Some(&header), &body, Some(&secret)).is_err());
        }

        #[test]
        fn changed_byte_breaks_signature(
            mut body in proptest::collection::vec(any::<u8>(), 1..64), secret in "[!-~]{1,80}", at in 0_usize..64,
            now in 0_i64..4_000_000_000,
        ) {
            let time = Timestamp::from_millis(now * 1_000);
            let timed = format!("t={now},v1={}", sign(&secret, &[now.to_string().as_bytes(), b".", &body]));
            let plain = sign(&secret, &[&body]);
            prop_assert_eq!(stripe(Some(&timed), &body, Some(&secret), time), Ok(()));
            prop_assert_eq!(gocardless(Some(&plain), &body, Some(&secret)), Ok(()));
            let at = at % body.len();
            body[at] ^= 1;
            prop_assert_eq!(stripe(Some(&timed), &body, Some(&secret), time), Err(SignatureError::Mismatch));
            prop_assert_eq!(gocardless(Some(&plain), &body, Some(&secret)), Err(SignatureError::Mismatch));
        }
    }
}
