//! Runs a future as a promise, so that a trap in it rejects that promise.
//!
//! `wasm-bindgen-futures` polls from a bare microtask: a panic there is an uncaught error, which ends a Node process and
//! leaves the promise pending for ever. Here every poll is one link of a promise chain whose `catch` is the outer
//! promise's own `reject`, a JavaScript function that outlives the instance:
//!
//! ```text
//!   parked ──► new Promise(rouse).then(poll).catch(reject)
//!                          ▲                  │       ▲
//!                   wake ──┘                  └ a trap ┘
//! ```
//!
//! The chain is hung up when the task parks, by the task itself, and waking only calls its `rouse`. One request may so
//! wake another: workerd ties whatever a request starts to that request, and moves the rest of a chain to the request
//! that hung it up.
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
    /// Starts the chain that polls it next
    rouse: JsValue,
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

/// Starts the chain of a parked task. One that is being polled is not in the table, and sees its signal when it parks.
fn schedule(id: u32) {
    TASKS.with_borrow(|tasks| {
        // It only settles a promise: nothing runs before this frame has ended.
        if let Some((_, task)) = tasks.iter().find(|(other, _)| *other == id) {
            start(&task.rouse, id);
        }
    });
}

fn start(rouse: &JsValue, id: u32) {
    // A promise's own function throws nothing.
    let _ = rouse.unchecked_ref::<Function>().call1(&JsValue::UNDEFINED, &JsValue::from(id));
}

/// Hangs up the chain that will poll a task, and gives the function that starts it.
fn hang_up(reject: &Function) -> JsValue {
    let mut rouse = JsValue::UNDEFINED;
    let roused = Promise::new(&mut |resolve, _| rouse = resolve.into());
    POLL.with(|poll| then_or(roused, poll.as_ref(), Some(reject)));
    rouse
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
        task.rouse = hang_up(&task.reject);
        if task.signal.scheduled.load(Ordering::Relaxed) {
            start(&task.rouse, id);
        }
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
        let rouse = hang_up(&reject);
        start(&rouse, id);
        TASKS.with_borrow_mut(|tasks| tasks.push((id, Task { future: Box::pin(whole), signal, reject, rouse })));
    })
}
