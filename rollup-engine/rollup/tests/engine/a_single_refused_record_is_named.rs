//! One record that Twenty does not take must not cost the others their totals.

use rollup::calculate_rollups;
use rollup::report::Status;
use sandbox::{Fault, Faults, Limits};
use serde_json::json;
use twenty::Method;

use super::common::{Between, World, id, refusal};

/// Refuses every write that holds a certain id, and batches of more than a certain size
fn picky(world: &World, bad: &str, most: usize) -> Between<'static> {
    let bad = bad.to_owned();
    Between::new(world.host(Faults::none())).before(move |request| {
        let body = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default()).into_owned();
        if request.method != Method::Get && (body.contains(&bad) || request.url.contains(&bad)) {
            return Some(refusal(400, "a trigger of the workspace does not like it", None));
        }
        let many = body.matches("\"id\"").count() > most;
        many.then(|| refusal(400, &format!("Maximum number of records to upsert is {most}."), None))
    })
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_is_halved_until_the_bad_record_is_alone() {
    let world = World::with_gifts(Limits::default(), 150, 1_200);
    let bad = id("person", 77);
    let host = picky(&world, &bad.to_string(), 200);
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.failed), (Status::Partial, 1), "{report:?}");
    assert_eq!(report.failures[0].id, bad);
    assert_eq!(
        report.failures[0].message,
        "PATCH /rest/people/{id}: refused (400): a trigger of the workspace does not like it"
    );
    assert!(world.wrong().iter().all(|wrong| wrong.contains(&bad.to_string())), "{:?}", world.wrong());
    assert_eq!(report.totals.updated + report.totals.unchanged + 1, report.totals.processed);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_takes_fewer_rows_gets_fewer() {
    let world = World::with_gifts(Limits::default(), 150, 1_200);
    let host = picky(&world, "never", 60);
    let report = calculate_rollups(&host, &json!({}), &world.options()).await;
    assert_eq!((report.status, report.totals.failed), (Status::Ok, 0), "{report:?}");
    assert_eq!(world.wrong(), Vec::<String>::new());
    // One refusal teaches it; no batch is halved down.
    assert!(report.requests.by_endpoint["POST /rest/batch/people"] <= 5, "{:?}", report.requests);
}

#[tokio::test(start_paused = true)]
async fn half_a_batch_and_a_lost_reply_are_sent_again() {
    for fault in [Fault::HalfBatch(40), Fault::LostReply, Fault::Status(502), Fault::Unreachable] {
        let world = World::with_gifts(Limits::default(), 150, 1_200);
        // Metadata, six pages of gifts, a page of people; the ninth call is the first write.
        let report = calculate_rollups(&world.host(Faults::none().at(9, fault)), &json!({}), &world.options()).await;
        assert_eq!((report.status, report.requests.retried), (Status::Ok, 1), "{fault:?}: {report:?}");
        assert_eq!(world.wrong(), Vec::<String>::new(), "{fault:?}");
        assert_eq!(report.totals.updated, 150);
    }
}
