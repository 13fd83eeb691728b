//! Runs a future as a promise, so that a trap in it rejects that promise.
//!
//! `wasm-bindgen-futures` polls from a bare microtask: a panic there is an uncaught error, which ends a Node process and
//! leaves the promise pending for ever. Here every poll is one link of a promise chain whose `catch` is the outer
//! promise's own `reject`, a JavaScript function that outlives the instance:
//!
//! ```text
//!   wake ──► Promise.resolve(task).then(poll).catch(reject)
//!                                       │            ▲
//!                                       └── a trap ──┘
//! ```
//!
//! It refuses to poll outside that chain, and it holds no task once its future has ended.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use crate::chain::then_or;

thread_local! {
    /// By number; there are few at a time
    static TASKS: RefCell<Vec<(u32, Task)>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
    /// The task that is being polled
    static CURRENT: RefCell<Option<Function>> = const { RefCell::new(None) };
    static POLL: Closure<dyn Fn(JsValue)> = Closure::new(|id: JsValue| poll(&id));
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    signal: Arc<Signal>,
    reject: Function,
}

// A waker must be `Send`, which no JavaScript value is: it names its task by number.
struct Signal {
    id: u32,
    scheduled: AtomicBool,
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.scheduled.swap(true, Ordering::Relaxed) {
            schedule(self.id);
        }
    }
}

fn schedule(id: u32) {
    // A task that is being polled is out of the table, and its `reject` is the current one.
    let reject = TASKS
        .with_borrow(|tasks| tasks.iter().find(|(other, _)| *other == id).map(|(_, task)| task.reject.clone()))
        .or_else(current_reject);
    if let Some(reject) = reject {
        POLL.with(|poll| {
            // The chain's end never rejects: `reject` itself throws nothing.
            then_or(Promise::resolve(&JsValue::from(id)), poll.as_ref(), Some(&reject));
        });
    }
}

fn poll(id: &JsValue) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`schedule` made this number from a u32"
    )]
    let id = id.as_f64().unwrap_or_default() as u32;
    // A task may be woken once more after its end.
    let taken = TASKS.with_borrow_mut(|tasks| {
        let place = tasks.iter().position(|(other, _)| *other == id)?;
        Some(tasks.swap_remove(place).1)
    });
    let Some(mut task) = taken else { return };
    task.signal.scheduled.store(false, Ordering::Relaxed);
    let waker = Waker::from(Arc::clone(&task.signal));
    CURRENT.set(Some(task.reject.clone()));
    let ended = task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
    CURRENT.set(None);
    if !ended {
        TASKS.with_borrow_mut(|tasks| tasks.push((id, task)));
    }
}

/// Function that rejects the promise of the task that is being polled, if one is
pub(crate) fn current_reject() -> Option<Function> {
    CURRENT.with_borrow(Clone::clone)
}

/// Starts a future and hands back a promise of its result
///
/// A trap, or an exception that flies through, rejects the promise; the instance is then to be replaced.
pub fn promise(future: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    let mut future = Some(future);
    Promise::new(&mut |resolve, reject| {
        let Some(future) = future.take() else { return };
        let id = NEXT.replace(NEXT.get().wrapping_add(1));
        let refuse = reject.clone();
        let whole = async move {
            // The answer of a promise's own functions says nothing.
            let _ = match future.await {
                Ok(value) => resolve.call1(&JsValue::UNDEFINED, &value),
                Err(error) => refuse.call1(&JsValue::UNDEFINED, &error),
            };
        };
        let signal = Arc::new(Signal { id, scheduled: AtomicBool::new(true) });
        TASKS.with_borrow_mut(|tasks| tasks.push((id, Task { future: Box::pin(whole), signal, reject })));
        schedule(id);
    })
}
