//! Who calls: API keys, their roles, and apps.

use std::collections::BTreeMap;
use std::sync::Arc;

use ports::Request;
use serde::Serialize;
use serde_json::{Value, json};

use crate::api_error::ApiError;
use crate::limiter::Spender;
use crate::table::Actor;

/// The keys that every sandbox has
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// May do everything
    pub token: String,
    /// Of a role that may read records and nothing else
    pub guest_token: String,
    /// Revoked
    pub revoked_token: String,
    /// Of a second workspace, whose metadata calls answer with bare objects
    pub direct_token: String,
}

/// What a token stands for
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// 0, or 1 for the second workspace
    pub(crate) workspace: usize,
    pub(crate) may_write: bool,
    pub(crate) spender: Spender,
    pub(crate) actor: Arc<Actor>,
    is_revoked: bool,
}

/// All tokens
#[derive(Clone, Debug)]
pub(crate) struct TokenBook {
    pub(crate) named: Tokens,
    known: BTreeMap<String, Caller>,
    rng: fastrand::Rng,
}

impl TokenBook {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x746f_6b65_6e73);
        let mut known = BTreeMap::new();
        let mut add = |name: &str, workspace, may_write, is_revoked| {
            let token = new_token(&mut rng, name);
            let caller =
                Caller { workspace, may_write, spender: Spender::ApiKey, actor: actor("API", name), is_revoked };
            known.insert(token.clone(), caller);
            token
        };
        let named = Tokens {
            token: add("sandbox", 0, true, false),
            guest_token: add("guest", 0, false, false),
            revoked_token: add("revoked", 0, true, true),
            direct_token: add("direct", 1, true, false),
        };
        Self { named, known, rng }
    }

    /// A further token, of an app that may do everything
    pub(crate) fn mint_app(&mut self) -> String {
        let token = new_token(&mut self.rng, "app");
        let caller = Caller {
            workspace: 0,
            may_write: true,
            spender: Spender::Application,
            actor: actor("APPLICATION", "app"),
            is_revoked: false,
        };
        self.known.insert(token.clone(), caller);
        token
    }

    /// The caller of a request. `None`: no token was sent
    pub(crate) fn caller(&self, request: &Request) -> Result<Option<Caller>, ApiError> {
        let header = request.header("authorization").unwrap_or_default();
        let Some((scheme, token)) = header.split_once(' ') else { return Ok(None) };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Ok(None);
        }
        match self.known.get(token.trim()) {
            None => Err(refused(401)),
            Some(caller) if caller.is_revoked => Err(refused(403)),
            Some(caller) => Ok(Some(caller.clone())),
        }
    }
}

/// The error of a call without a token
pub(crate) fn missing() -> ApiError {
    unauthorized(403, "FORBIDDEN_EXCEPTION", "FORBIDDEN", "Missing authentication token")
}

/// The error of a call with a token that is none, or with a revoked one (403)
pub(crate) fn refused(status: u16) -> ApiError {
    if status == 403 {
        unauthorized(403, "FORBIDDEN_EXCEPTION", "FORBIDDEN", "This API Key is revoked")
    } else {
        unauthorized(401, "UNAUTHENTICATED", "UNAUTHENTICATED", "Token invalid.")
    }
}

fn unauthorized(status: u16, class: &'static str, graphql: &'static str, message: &str) -> ApiError {
    let body = json!({"statusCode": status, "messages": [message], "error": class});
    ApiError { status, graphql, sub_code: Some(class), ..ApiError::thrown(class, message) }.with_body(body)
}

fn actor(source: &str, name: &str) -> Arc<Actor> {
    Arc::new(Actor {
        source: source.to_owned(),
        workspace_member: None,
        name: name.to_owned(),
        context: Value::Object(serde_json::Map::new()),
    })
}

/// The author of what is put in without a request: the same as of the key with all rights
pub(crate) fn system_actor() -> Arc<Actor> {
    actor("API", "sandbox")
}

fn new_token(rng: &mut fastrand::Rng, name: &str) -> String {
    format!("{name}-{:016x}{:016x}", rng.u64(..), rng.u64(..))
}
