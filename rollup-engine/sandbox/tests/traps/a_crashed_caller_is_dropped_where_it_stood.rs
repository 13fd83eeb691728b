//! A host can let its caller die at a given request, with the reply lost or the request never acted upon.

use ports::{Http, Method};
use sandbox::Faults;

use crate::an_hour_of_throttling_costs_no_time::host;
use crate::scene::request;

#[tokio::test(start_paused = true)]
async fn a_crashed_caller_is_dropped_where_it_stood() {
    for (acted, left) in [(true, 2), (false, 1)] {
        let (host, token) = host(Faults::none().crash(2, acted));
        let run = async {
            for _ in 0..5 {
                host.fetch(request(&token, Method::Post, "/rest/gifts", None)).await.unwrap();
            }
        };
        assert_eq!(host.until_crash(run).await, None);
        assert!(host.crashed());
        assert_eq!(host.sandbox().borrow().count("gift"), left);
    }
}
