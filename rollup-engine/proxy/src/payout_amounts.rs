//! What a payout says of its parts: gross is the sum of its gifts, and net is gross less fees and refunds.
//!
//! A provider tells what reached the bank and what it kept; which gifts are in it is told one by one, in any order. So the
//! sum is made anew with each: a gift is linked first and the payout read second, a payout is written first and its gifts
//! read second, and whoever wrote last reads once more.

use serde_json::{Map, Value};
use twenty::RecordId;
use twenty::filter::Filter;
use twenty::target::{Query, Target};

use crate::context::RequestContext;
use crate::error::Error;
use crate::intake::store::{self, GIFT};
use fundraising::money::Money;
use fundraising::payout::parts;

/// Payouts
pub(crate) const PAYOUT: store::Object = store::Object { plural: "giftPayouts", create: "createGiftPayout" };
/// How often the sum is made anew because gifts were linked meanwhile
const TRIES: u32 = 6;
/// As many gifts as Twenty gives with one answer
const PAGE: usize = 200;

/// Sets gross and refunds of a payout whose net amount and fee are known
///
/// # Errors
/// Whatever Twenty says; the next gift that is linked sets them too.
pub(crate) async fn update(cx: &RequestContext<'_>, payout: RecordId) -> Result<(), Error> {
    for _ in 0..TRIES {
        let Some(record) = store::find(cx, PAYOUT.plural, &payout.to_string()).await? else { return Ok(()) };
        let money = |key: &str| record.get(key).and_then(|money| Money::read(key, money).ok());
        let (Some(net), Some(fee)) = (money("depositNetAmount"), money("depositFeeAmount")) else { return Ok(()) };
        let gifts = sum(cx, payout, &net.currency_code).await?;
        let parts = parts(&net, &fee, gifts);
        let mut body = Map::new();
        for (key, part) in [("depositGrossAmount", parts.gross), ("depositRefundAmount", parts.refund)] {
            // A workspace that was made before has no such field.
            if record.get(key).is_some() && money(key).as_ref() != Some(&part) {
                body.insert(key.into(), part.to_json());
            }
        }
        if body.is_empty() {
            return Ok(());
        }
        cx.call(Target::update(PAYOUT.plural, payout), Some(body.into())).await?;
    }
    Err(Error::raced())
}

/// What the gifts of a payout add up to; nothing if one of them is in another currency
async fn sum(cx: &RequestContext<'_>, payout: RecordId, currency: &str) -> Result<Option<i64>, Error> {
    let filter = Filter::IdIs("giftPayoutId".into(), payout);
    let (mut sum, mut after) = (0_i64, None::<String>);
    loop {
        let mut query = Query::default().filtered(&filter).with("limit", PAGE.to_string());
        if let Some(cursor) = after {
            query = query.with("starting_after", cursor);
        }
        let answer = cx.call(Target::list(GIFT.plural, &query), None).await?;
        let page = answer.get("pageInfo");
        let has_more = page.and_then(|page| page.get("hasNextPage")) == Some(&Value::Bool(true));
        let cursor = page.and_then(|page| page.get("endCursor")).and_then(Value::as_str).map(str::to_owned);
        let Some(Value::Array(gifts)) = store::take_data(answer, GIFT.plural) else {
            return Err(Error::malformed("a list"));
        };
        for gift in gifts {
            match gift.get("amount").and_then(|money| Money::read("amount", money).ok()) {
                Some(money) if money.currency_code == currency => sum = sum.saturating_add(money.amount_micros),
                Some(_) => return Ok(None),
                None => {}
            }
        }
        if !has_more || cursor.is_none() {
            return Ok(Some(sum));
        }
        after = cursor;
    }
}
