//! The sandbox as an HTTP server.
//!
//! Only what a network needs is here: the clock, the socket, the webhook calls, the waiting for events. Every answer
//! comes from [`sandbox::Sandbox`].

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request as HttpRequest, Response as HttpResponse, StatusCode};
use clap::{Parser, ValueEnum};
use ports::{Method, Request, Timestamp};
use sandbox::{Delivery, Limits, Profile, Sandbox, Settings};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Longest body that is read at all, in bytes; the sandbox refuses sooner
const MAX_READ_BYTES: usize = 64 * 1024 * 1024;
/// Longest wait for an event
const POLL: Duration = Duration::from_secs(25);
/// Longest wait for a webhook's receiver
const DELIVERY: Duration = Duration::from_secs(5);

/// A Twenty in memory, served over HTTP
#[derive(Debug, Parser)]
#[command(name = "sandbox", about)]
struct Arguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Which Twenty is imitated
    #[arg(long, default_value = "v1")]
    profile: ProfileName,
    /// Rate limit: `default`, `off`, or so many calls in so many milliseconds, `N/MS`
    #[arg(long, default_value = "default")]
    limits: Limits,
    /// Schema and rows to start with
    #[arg(long)]
    fixture: Option<PathBuf>,
    /// Gifts to start with: CSV with the columns donor, `gift_date`, amount, currency
    #[arg(long)]
    gifts: Option<PathBuf>,
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
        .map_err(|error| format!("--port `{}`: {error}", arguments.port))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let client = reqwest::Client::builder().timeout(DELIVERY).build().map_err(|error| error.to_string())?;
    let shared = Shared {
        events: Arc::new(watch::Sender::new(sandbox.last_event())),
        sandbox: Arc::new(Mutex::new(sandbox)),
        client,
    };
    let router = Router::new().fallback(answer).with_state(shared);
    let mut ready = serde_json::json!({"url": format!("http://{address}")});
    if let (Some(members), Ok(serde_json::Value::Object(named))) =
        (ready.as_object_mut(), serde_json::to_value(&tokens))
    {
        members.extend(named);
    }
    println!("{ready}");
    tokio::select! {
        result = axum::serve(listener, router) => result.map_err(|error| error.to_string()),
        () = told_to_stop() => Ok(()),
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

async fn answer(State(shared): State<Shared>, request: HttpRequest<Body>) -> HttpResponse<Body> {
    let request = match read(request).await {
        Ok(request) => request,
        Err(status) => return plain(status),
    };
    if let Some(after) = polled_after(&request) {
        let mut events = shared.events.subscribe();
        // Whether an event came or the time is up, the answer says what there is.
        let _ = tokio::time::timeout(POLL, events.wait_for(|last| *last > after)).await;
    }
    let (response, deliveries) = {
        let mut sandbox = shared.sandbox.lock().unwrap_or_else(PoisonError::into_inner);
        let response = sandbox.handle(&request, now());
        shared.events.send_replace(sandbox.last_event());
        (response, sandbox.drain_deliveries())
    };
    for delivery in deliveries {
        tokio::spawn(deliver(shared.client.clone(), delivery));
    }
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(response.body)).unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

async fn read(request: HttpRequest<Body>) -> Result<Request, StatusCode> {
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
    let bytes = to_bytes(body, MAX_READ_BYTES).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
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

fn plain(status: StatusCode) -> HttpResponse<Body> {
    let mut response = HttpResponse::new(Body::empty());
    *response.status_mut() = status;
    response
}
