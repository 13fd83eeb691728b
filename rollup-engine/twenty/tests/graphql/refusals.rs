//! The rate limit and the server's faults come as HTTP 200, and are repeated as over REST.

use ports::Clock;
use std::time::Duration;

use sandbox::{Fault, Faults, Profile};
use twenty::client::{GroupQuery, PageQuery};
use twenty::page::Projection;
use twenty::rate_limiter::RateLimit;

use crate::scene::{PROFILES, Scene, always, gift, person, start};

#[tokio::test(start_paused = true)]
async fn the_rate_limit_is_waited_out() {
    for profile in PROFILES {
        let scene = Scene::new(profile, "2/60000".parse().unwrap());
        let donors = scene.people(2);
        for donor in &donors {
            scene.gift(*donor, 1, "GBP", "2026-01-01");
        }
        let client = scene.client();
        let query = PageQuery { limit: 10, ..PageQuery::default() };
        for _ in 0..3 {
            let page = client.list_graphql(&person(), query.clone(), &Projection::default()).await.unwrap();
            assert_eq!(page.records.len(), 2);
        }
        let refused = client.stats().throttled;
        assert!(refused > 0);
        if profile == Profile::V2 {
            // It said how long to wait: 30 s, and the gate held the call back for no longer.
            assert_eq!(refused, 1);
            assert!(client.host().now().since(start()) < Duration::from_secs(31));
        }
        // Of two root fields one may pass: the document is sent again as a whole, and nothing is read twice.
        let query = GroupQuery { by: "donorId", limit: 10, counted: true, ..GroupQuery::default() };
        let groups = client.groups(&gift(), &query).await.unwrap();
        assert_eq!((groups.total_count, groups.groups.len()), (Some(2), 2));
        assert!(client.stats().throttled > refused);
    }
}

#[tokio::test(start_paused = true)]
async fn root_fields_count_as_tokens() {
    for profile in PROFILES {
        let scene = Scene::new(profile, "100/60000".parse().unwrap());
        let client = scene.client_with(Faults::none(), RateLimit::default(), &scene.token);
        let (gift, person) = (gift(), person());
        for _ in 0..100 {
            assert_eq!(client.counts(&[&gift, &person]).await, Ok(vec![0, 0]));
        }
        let stats = client.stats();
        assert_eq!((stats.total, stats.tokens, stats.throttled, scene.tokens()), (100, 200, 0, 200));
    }
}

#[tokio::test(start_paused = true)]
async fn server_fault_four_attempts() {
    let scene = Scene::new(Profile::V1, "off".parse().unwrap());
    let faults = Faults::none().at(1, Fault::Status(429)).at(2, Fault::Status(503)).at(3, Fault::LostReply);
    let client = scene.client_with(faults, RateLimit::default(), &scene.token);
    assert_eq!(client.counts(&[&gift()]).await, Ok(vec![0]));
    assert_eq!((client.stats().retried, client.stats().throttled), (3, 1));

    for (code, status) in [("INTERNAL_SERVER_ERROR", 500), ("TIMEOUT", 504)] {
        let body =
            format!(r#"{{"data":{{"gifts":null}},"errors":[{{"message":"x","extensions":{{"code":"{code}"}}}}]}}"#);
        let client = always(200, &body);
        let error = client.counts(&[&gift()]).await.unwrap_err();
        assert_eq!(error.to_string(), format!("POST /graphql counts: server error ({status}): x"));
        assert_eq!(client.stats().total, 4);
    }
}
