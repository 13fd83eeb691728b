//! Webhooks end to end: signed bodies through the whole service onto a Twenty in memory, with everything that can break.

#[cfg(test)]
mod days;
#[cfg(test)]
mod events;
#[cfg(test)]
mod givers;
#[cfg(test)]
mod gocardless;
#[cfg(test)]
mod mandates;
#[cfg(test)]
mod one_payment;
#[cfg(test)]
mod orders;
mod parsers;
#[cfg(test)]
mod providers;
#[cfg(test)]
mod stripe;
