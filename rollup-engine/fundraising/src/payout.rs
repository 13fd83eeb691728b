//! What a payout is made of: gross less fees and refunds is net.

use crate::money::Money;

/// Parts of a payout
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// What its gifts add up to
    pub gross: Money,
    /// What was taken off it again: refunds, charge-backs and adjustments
    pub refund: Money,
}

/// The parts of a payout of which net amount and fee are known
///
/// `gifts` is what the gifts add up to that are known to be in it; nothing where they cannot be added, as when the
/// provider changed their currency. While they are less than what was paid out, others are not known yet: then gross is
/// what the provider's two amounts say.
///
/// # Examples
///
/// ```
/// use fundraising::money::Money;
/// use fundraising::payout::parts;
///
/// let pounds = |amount: i64| Money { amount_micros: amount * 1_000_000, currency_code: "GBP".into() };
/// let parts = parts(&pounds(32), &pounds(1), Some(pounds(54).amount_micros));
/// assert_eq!((parts.gross, parts.refund), (pounds(54), pounds(21)));
/// ```
#[must_use]
pub fn parts(net: &Money, fee: &Money, gifts: Option<i64>) -> Parts {
    let told = net.amount_micros.saturating_add(fee.amount_micros);
    let gross = gifts.map_or(told, |gifts| gifts.max(told));
    let money = |amount_micros| Money { amount_micros, currency_code: net.currency_code.clone() };
    Parts { gross: money(gross), refund: money(gross.saturating_sub(told)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gross_refunds_and_net() {
        let money = |amount_micros| Money { amount_micros, currency_code: "GBP".into() };
        for (net, fee, gifts, gross, refund) in [
            (32, 1, Some(54), 54, 21),
            (32, 1, Some(33), 33, 0),
            (32, 1, Some(10), 33, 0),
            (32, 1, None, 33, 0),
            (-5, 0, Some(0), 0, 5),
            (-5, 1, Some(10), 10, 14),
        ] {
            let parts = parts(&money(net), &money(fee), gifts);
            assert_eq!((parts.gross, parts.refund), (money(gross), money(refund)), "{net} {fee} {gifts:?}");
        }
    }
}
