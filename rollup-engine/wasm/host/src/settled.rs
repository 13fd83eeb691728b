//! Waits for a promise.
//!
//! The callback belongs to the task that waits: should the instance be replaced meanwhile, the callback of the old one
//! fails, and that failure rejects the task's promise instead of being an unhandled rejection of the process.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::{Array, Promise, Reflect};
use wasm_bindgen::prelude::*;

use crate::chain::then_or;
use crate::task::current_reject;

#[derive(Default)]
struct Slot {
    outcome: Option<JsValue>,
    waker: Option<Waker>,
}

/// Future of a promise's value, or of the reason it was rejected with
pub(crate) struct Settled {
    slot: Rc<RefCell<Slot>>,
    // Dropped with the future: a callback that comes later finds nobody.
    _callback: Closure<dyn FnMut(JsValue)>,
}

impl Settled {
    /// Waits for this value, a promise or not; to be called inside a future that [`crate::promise`] runs
    pub(crate) fn new(value: &JsValue) -> Self {
        let slot = Rc::new(RefCell::new(Slot::default()));
        let filled = Rc::clone(&slot);
        let callback = Closure::new(move |outcome: JsValue| {
            let waker = {
                let mut slot = filled.borrow_mut();
                slot.outcome = Some(outcome);
                slot.waker.take()
            };
            if let Some(waker) = waker {
                waker.wake();
            }
        });
        // `allSettled` never rejects, so that one callback hears both outcomes.
        let both = Promise::all_settled(&Array::of1(value)).unchecked_into();
        then_or(both, callback.as_ref(), current_reject().as_ref());
        Self { slot, _callback: callback }
    }
}

impl Future for Settled {
    type Output = Result<JsValue, JsValue>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.slot.borrow_mut();
        let Some(outcome) = slot.outcome.take() else {
            slot.waker = Some(context.waker().clone());
            return Poll::Pending;
        };
        let outcome = Array::from(&outcome).get(0);
        let part = |name: &str| Reflect::get(&outcome, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED);
        if part("status") == "rejected" { Poll::Ready(Err(part("reason"))) } else { Poll::Ready(Ok(part("value"))) }
    }
}
