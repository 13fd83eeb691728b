//! Callers whose tokens Twenty has not accepted, beside those whom it knows.

use std::rc::Rc;
use std::time::Duration;

use ports::{Clock as _, Method};
use sandbox::{Faults, Latency, Limits};

use support::{STRIPE_SECRET, header};

use crate::scene::{Scene, run};

/// A Twenty that takes a tenth of a second for each call
fn scene() -> Rc<Scene> {
    let tenth = Duration::from_millis(100);
    let faults = Faults { latency: Some(Latency { min: tenth, max: tenth }), ..Faults::none() };
    Rc::new(Scene::new(
        Limits::default(),
        faults,
        &[("STRIPE_WEBHOOK_SECRET", STRIPE_SECRET), ("FUNDRAISING_ENABLE_GIFT_STAGING", "on")],
    ))
}

async fn read_as(scene: &Scene, token: &str) -> (u16, Option<u64>) {
    let mut request = scene.inbound("GET", "/gifts?limit=1", None);
    request.headers = vec![("authorization".into(), format!("Bearer {token}"))];
    let answer = scene.proxy.handle(&scene.host, request).await;
    (answer.status, header(&answer, "retry-after").map(|wait| wait.parse().unwrap()))
}

/// A known caller at 80 a minute and a payment every 10 s, for 40 s: how long the caller waited at most. The strangers
/// come in the middle, all at once.
async fn longest_wait(scene: &Rc<Scene>, strangers: usize) -> Duration {
    let known = scene.host.inner.sandbox().borrow().tokens().guest_token.clone();
    let caller = {
        let scene = Rc::clone(scene);
        tokio::task::spawn_local(async move {
            let mut longest = Duration::ZERO;
            for _ in 0..54 {
                let began = scene.host.now();
                assert_eq!(read_as(&scene, &known).await.0, 200);
                let waited = scene.host.now().since(began);
                longest = longest.max(waited);
                tokio::time::sleep(Duration::from_millis(750).saturating_sub(waited)).await;
            }
            longest
        })
    };
    let payments = {
        let scene = Rc::clone(scene);
        tokio::task::spawn_local(async move {
            for number in 0..4 {
                assert_eq!(scene.pay(number).await, 204, "payment {number}");
                tokio::time::sleep(Duration::from_secs(10)).await;
            }
        })
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    let strangers: Vec<_> = (0..strangers)
        .map(|number| {
            let scene = Rc::clone(scene);
            tokio::task::spawn_local(async move {
                let began = scene.host.now();
                (read_as(&scene, &format!("made-up-{number}")).await, scene.host.now().since(began))
            })
        })
        .collect();
    for stranger in strangers {
        let ((status, retry_after), waited) = stranger.await.unwrap();
        match status {
            401 => {}
            503 => assert!(
                retry_after >= Some(1) && waited < Duration::from_secs(1),
                "told at once, and when to come again"
            ),
            other => panic!("{other}"),
        }
    }
    payments.await.unwrap();
    caller.await.unwrap()
}

/// 300 strangers at once cost the known caller nothing, no payment, and Twenty nine calls: the caller's own proof was one
/// of the ten.
#[test]
fn strangers_pay_for_themselves() {
    run(async {
        let (without, with) = (scene(), scene());
        let waits = (longest_wait(&without, 0).await, longest_wait(&with, 300).await);
        assert!(waits.1 <= waits.0, "{waits:?}");
        assert_eq!(with.calls(), without.calls() + 9);
        assert_eq!(with.host.inner.sandbox().borrow().usage().refused, 0);
    });
}

/// A refused token is refused from memory for a minute; one that Twenty accepts is let through with the next call.
#[test]
fn refusals_are_remembered() {
    run(async {
        let scene = scene();
        let revoked = scene.host.inner.sandbox().borrow().tokens().revoked_token.clone();
        for _ in 0..20 {
            assert_eq!(read_as(&scene, &revoked).await.0, 403);
            assert_eq!(read_as(&scene, "made-up").await.0, 401);
        }
        assert_eq!(scene.calls(), 2);
        tokio::time::sleep(Duration::from_secs(61)).await;
        assert_eq!(read_as(&scene, &revoked).await.0, 403);
        assert_eq!(scene.calls(), 3);
    });
}

/// Requests with one unproven token wait for the first of them, which is the proof for all.
#[test]
fn one_proof_serves_all() {
    for (token, status, calls) in [("guest", 200, 30), ("made-up", 401, 1)] {
        run(async move {
            let scene = scene();
            let guest = scene.host.inner.sandbox().borrow().tokens().guest_token.clone();
            let token = if token == "guest" { guest } else { token.to_owned() };
            let requests: Vec<_> = (0..30)
                .map(|_| {
                    let (scene, token) = (Rc::clone(&scene), token.clone());
                    tokio::task::spawn_local(async move { read_as(&scene, &token).await.0 })
                })
                .collect();
            for request in requests {
                assert_eq!(request.await.unwrap(), status);
            }
            assert_eq!(scene.calls(), calls);
        });
    }
}

/// A known token that Twenty refuses is a stranger from then on.
#[test]
fn known_token_is_dropped_at_refusal() {
    run(async {
        let scene = scene();
        let guest = scene.host.inner.sandbox().borrow().tokens().guest_token.clone();
        assert_eq!(read_as(&scene, &guest).await.0, 200);
        scene.refuse_with.set(Some(401));
        assert_eq!(read_as(&scene, &guest).await.0, 401);
        scene.refuse_with.set(None);
        assert_eq!(read_as(&scene, &guest).await.0, 401, "remembered");
        assert_eq!(scene.calls(), 2);
        assert_eq!(scene.pay(1).await, 204, "the service's own key stands apart");
    });
}

/// Without a budget there is nothing to guard.
#[test]
fn no_allowance_without_budget() {
    run(async {
        let scene = Scene::calm();
        for number in 0..30 {
            assert_eq!(read_as(&scene, &format!("made-up-{number}")).await.0, 401);
        }
        assert_eq!(scene.calls(), 30);
        assert!(scene.host.sent().iter().all(|call| call.method == Method::Get));
    });
}

/// `/ready` is open to everybody, and a crowd there costs one check.
#[test]
fn crowd_at_ready() {
    run(async {
        let scene = scene();
        let requests: Vec<_> = (0..300)
            .map(|_| {
                let scene = Rc::clone(&scene);
                tokio::task::spawn_local(async move {
                    let mut request = scene.inbound("GET", "", None);
                    request.target = "/ready".into();
                    request.headers.clear();
                    scene.proxy.handle(&scene.host, request).await.status
                })
            })
            .collect();
        let mut ready = 0;
        for request in requests {
            ready += usize::from(request.await.unwrap() == 200);
        }
        assert_eq!((ready, scene.calls()), (300, 1));
    });
}

/// What Twenty says of its rate limit to a stranger, whose token may be of another workspace, holds up only the stranger.
#[test]
fn strangers_refused_for_the_rate_limit() {
    run(async {
        let scene = scene();
        scene.refuse_with.set(Some(429));
        let stranger = {
            let scene = Rc::clone(&scene);
            tokio::task::spawn_local(async move { read_as(&scene, "of-another-workspace").await.0 })
        };
        tokio::time::sleep(Duration::from_millis(50)).await;
        scene.refuse_with.set(None);
        let began = scene.host.now();
        assert_eq!(scene.pay(1).await, 204);
        assert!(scene.host.now().since(began) < Duration::from_secs(2));
        assert_eq!(stranger.await.unwrap(), 401);
    });
}
