//! What a refund that is entered by hand must be.

use crate::client_error::ClientError;
use crate::money::Money;

/// Checks the total that went back of a gift against the gift's amount
///
/// # Examples
///
/// ```
/// use fundraising::money::Money;
/// use fundraising::refund::check;
///
/// let pounds = |amount: i64| Money { amount_micros: amount * 1_000_000, currency_code: "GBP".into() };
/// assert!(check(&pounds(25), &pounds(5)).is_ok());
/// assert!(check(&pounds(25), &pounds(26)).is_err());
/// ```
///
/// # Errors
/// It is more than the gift, or in another currency.
pub fn check(gift: &Money, refunded: &Money) -> Result<(), ClientError> {
    if refunded.currency_code != gift.currency_code {
        return Err(ClientError::bad(format!(
            "refundedAmount.currencyCode `{}` must be that of the gift, `{}`",
            refunded.currency_code, gift.currency_code
        )));
    }
    if refunded.amount_micros > gift.amount_micros {
        return Err(ClientError::bad("refundedAmount.amountMicros must not be more than the gift's amount"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_message() {
        let money = |micros, code: &str| Money { amount_micros: micros, currency_code: code.into() };
        let message = |refunded| check(&money(25_000_000, "GBP"), &refunded).map_err(|refusal| refusal.message);
        assert_eq!([message(money(0, "GBP")), message(money(25_000_000, "GBP"))], [Ok(()), Ok(())]);
        assert_eq!(
            message(money(25_010_000, "GBP")).unwrap_err(),
            "refundedAmount.amountMicros must not be more than the gift's amount"
        );
        assert_eq!(
            message(money(1, "EUR")).unwrap_err(),
            "refundedAmount.currencyCode `EUR` must be that of the gift, `GBP`"
        );
    }
}
