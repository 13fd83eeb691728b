//! A host can let its caller die at a given request, with the reply lost or the request never acted upon.

use ports::{Http, Method};
use sandbox::Faults;

use crate::scene::request;
use crate::virtual_time::host;

#[tokio::test(start_paused = true)]
async fn crashed_caller_is_dropped() {
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
