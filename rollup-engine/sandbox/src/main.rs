//! The sandbox as an HTTP server.
//!
//! Only what a network needs is here: the clock, the socket, the webhook calls, the waiting for events. Every answer
//! comes from [`sandbox::Sandbox`].

use std::convert::Infallible;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response as HttpResponse, StatusCode};
use hyper_util::rt::TokioIo;
use ports::{Method, Request, Timestamp};
use sandbox::{Delivery, Exchange, Limits, Profile, Sandbox, Settings};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Longest body that is read at all, in bytes; the sandbox refuses sooner
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
/// Longest wait for an event
const POLL: Duration = Duration::from_secs(25);
/// Pause after a connection that could not be taken
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Longest wait for a webhook's receiver
const DELIVERY: Duration = Duration::from_secs(5);

const AFTER_HELP: &str = "\
When it is ready it prints one line of JSON: its url, and four tokens. `token`
may do everything, `guestToken` only reads, `revokedToken` is revoked, and
`directToken` is of a second, empty workspace. Set your client's address to
`url` and its API key to `token`. SIGTERM or Ctrl-C ends it; nothing is kept.

Its own calls, without a token:
  GET  /__sandbox/requests        what was asked of it
  POST /__sandbox/requests/reset  counts anew
  GET  /__sandbox/events?after=0  record events
  POST /__sandbox/app-token       a token of an app
  POST /__faults                  lets requests go wrong; GET shows the faults,
                                  DELETE takes them away. The next two for
                                  gifts, for instance, with:
    {\"faults\": [{\"fault\": \"status\", \"status\": 503,
                 \"path\": \"/rest/gifts\", \"times\": 2}]}
    Faults: status, unreachable, lostReply, largeReply, halfBatch, slow.
    docs/SANDBOX.md has what each takes.

Exit codes: 0 told to stop, 1 it cannot listen or a file cannot be read,
2 an option is not as it should be.";

/// A Twenty in memory: its REST and GraphQL API for records, its metadata API, its webhooks and its rate limit, on this
/// machine alone
#[derive(Debug, Parser)]
#[command(name = "sandbox", version, after_help = AFTER_HELP, max_term_width = 80)]
struct Arguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, value_name = "N", default_value = "0", value_parser = port)]
    port: u16,
    /// Which Twenty is imitated: 2.19 as recorded, or what 2.40 and later publish
    #[arg(long, default_value = "v1")]
    profile: ProfileName,
    /// Rate limit: `default` (100 calls a minute), `off`, or `N/MS` for N calls in MS milliseconds
    #[arg(long, default_value = "default")]
    limits: Limits,
    /// Schema and rows to start with, as JSON
    #[arg(long, value_name = "FILE")]
    fixture: Option<PathBuf>,
    /// Gifts to start with, as CSV
    #[arg(
        long,
        value_name = "FILE",
        help = "Gifts to start with: CSV with the columns donor, gift_date, amount and currency"
    )]
    gifts: Option<PathBuf>,
}

fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().map_err(|_| "expected a whole number from 0 to 65535")
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProfileName {
    V1,
    V2,
}

/// What all requests share
#[derive(Clone, Debug)]
struct Shared {
    sandbox: Arc<Mutex<Sandbox>>,
    /// Number of the last event
    events: Arc<watch::Sender<u64>>,
    client: reqwest::Client,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("sandbox: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), String> {
    let sandbox = set_up(&arguments)?;
    let tokens = sandbox.tokens().clone();
    let listener = TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .map_err(|error| cannot_listen(arguments.port, &error))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let client = reqwest::Client::builder().timeout(DELIVERY).build().map_err(|error| error.to_string())?;
    let shared = Shared {
        events: Arc::new(watch::Sender::new(sandbox.last_event())),
        sandbox: Arc::new(Mutex::new(sandbox)),
        client,
    };
    let mut ready = serde_json::json!({"url": format!("http://{address}")});
    if let (Some(members), Ok(serde_json::Value::Object(named))) =
        (ready.as_object_mut(), serde_json::to_value(&tokens))
    {
        members.extend(named);
    }
    println!("{ready}");
    tokio::select! {
        never = serve(listener, shared) => match never {},
        () = told_to_stop() => Ok(()),
    }
}

fn cannot_listen(port: u16, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => {
            format!("--port {port}: another program listens there; take another port, or 0 for any that is free")
        }
        ErrorKind::PermissionDenied => {
            format!("--port {port}: this user may not listen there; take a port from 1024 on")
        }
        _ => format!("--port {port}: {error}"),
    }
}

async fn serve(listener: TcpListener, shared: Shared) -> Infallible {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, for instance: the next attempt may do.
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(shared.clone(), request));
            // What ends a connection is its caller, or a fault that was asked for.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn set_up(arguments: &Arguments) -> Result<Sandbox, String> {
    let profile = match arguments.profile {
        ProfileName::V1 => Profile::V1,
        ProfileName::V2 => Profile::V2,
    };
    let mut sandbox = Sandbox::new(Settings { profile, limits: arguments.limits, ..Settings::default() });
    if let Some(path) = &arguments.fixture {
        let wrong = |error: &dyn std::fmt::Display| format!("--fixture `{}`: {error}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        sandbox.load_fixture(&text, None, now()).map_err(|error| wrong(&error))?;
    }
    if let Some(path) = &arguments.gifts {
        let wrong = |error: &dyn std::fmt::Display| format!("--gifts `{}`: {error}", path.display());
        let file = File::open(path).map_err(|error| wrong(&error))?;
        // History, not an import that is going on: a client that looks for recent changes finds none.
        sandbox.load_gifts_csv(file, now() - DAY).map_err(|error| wrong(&error))?;
    }
    Ok(sandbox)
}

/// How long ago the gifts of `--gifts` were recorded
const DAY: Duration = Duration::from_hours(24);

fn now() -> Timestamp {
    Timestamp::from_millis(jiff::Timestamp::now().as_millisecond())
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut term) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
    }
}

/// The connection is to end without an answer
#[derive(Debug, thiserror::Error)]
#[error("closed on demand")]
struct Closed;

async fn answer(shared: Shared, request: HttpRequest<Incoming>) -> Result<HttpResponse<Full<Bytes>>, Closed> {
    let request = match read(request).await {
        Ok(request) => request,
        Err(status) => return Ok(plain(status)),
    };
    if let Some(after) = polled_after(&request) {
        let mut events = shared.events.subscribe();
        // Whether an event came or the time is up, the answer says what there is.
        let _ = tokio::time::timeout(POLL, events.wait_for(|last| *last > after)).await;
    }
    let (exchange, deliveries) = {
        let mut sandbox = shared.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
        let exchange = sandbox.exchange(&request, now());
        shared.events.send_replace(sandbox.last_event());
        (exchange, sandbox.drain_deliveries())
    };
    for delivery in deliveries {
        tokio::spawn(deliver(shared.client.clone(), delivery));
    }
    let Exchange::Answer { response, after } = exchange else { return Err(Closed) };
    if !after.is_zero() {
        tokio::time::sleep(after).await;
    }
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    let body = Full::new(Bytes::from(response.body));
    Ok(builder.body(body).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR)))
}

async fn read(request: HttpRequest<Incoming>) -> Result<Request, StatusCode> {
    let (parts, body) = request.into_parts();
    let method = match parts.method.as_str() {
        "GET" | "HEAD" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => return Err(StatusCode::NOT_FOUND),
    };
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let body = Limited::new(body, MAX_READ_BYTES).collect().await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let bytes = body.to_bytes();
    Ok(Request {
        method,
        url: parts.uri.to_string(),
        headers,
        body: (!bytes.is_empty()).then(|| bytes.to_vec()),
        timeout: Duration::ZERO,
    })
}

/// The event number after which a caller waits, if this is a call that waits
fn polled_after(request: &Request) -> Option<u64> {
    let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
    if request.method != Method::Get || path != "/__sandbox/events" {
        return None;
    }
    let after = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
    Some(after.and_then(|(_, value)| value.parse().ok()).unwrap_or(0))
}

/// Makes one webhook call. Whatever comes of it, it is not made again.
async fn deliver(client: reqwest::Client, delivery: Delivery) {
    let mut call = client.post(&delivery.url);
    for (name, value) in &delivery.headers {
        call = call.header(name, value);
    }
    if let Err(error) = call.body(delivery.body).send().await {
        eprintln!("sandbox: webhook not delivered: {error}");
    }
}

fn plain(status: StatusCode) -> HttpResponse<Full<Bytes>> {
    let mut response = HttpResponse::new(Full::default());
    *response.status_mut() = status;
    response
}
