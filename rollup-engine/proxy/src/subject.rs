//! Who calls, as far as the token says: what an `Idempotency-Key` is scoped by.
//!
//! Twenty's tokens are JWTs. An API key's has `type: "API_KEY"` and the key's own id as `jti`, an app's has
//! `applicationId`, a user's has `userId` and the same as `sub`; each is issued anew with other times, and means the same
//! caller. Their signature is not checked here and need not be: every answer comes from calls that go out with the token,
//! and Twenty refuses a forged one.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use fundraising::keys::derive;

/// As JWTs are encoded, with or without padding
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What stays the same when a token is renewed; a token that names nobody stands for itself
#[must_use]
pub(crate) fn of_token(token: &str) -> String {
    let id = claimed(token).unwrap_or_else(|| derive(&["caller", "token", token]));
    id.to_string()
}

/// A payment provider, or whatever else is named as the source of a webhook
#[must_use]
pub(crate) fn of_source(source: &str) -> String {
    derive(&["caller", "source", &source.trim().to_ascii_lowercase()]).to_string()
}

fn claimed(token: &str) -> Option<uuid::Uuid> {
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let claims: Value = serde_json::from_slice(&BASE64URL.decode(claims).ok()?).ok()?;
    let text = |key: &str| claims.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let workspace = text("workspaceId").unwrap_or_default();
    let kind = text("type").unwrap_or_default().to_ascii_uppercase();
    if kind == "API_KEY" {
        // Its `sub` is the workspace, which all keys share.
        return Some(derive(&["caller", "apiKey", workspace, text("jti")?]));
    }
    if kind.starts_with("APPLICATION") {
        // An app may call for a user.
        return Some(derive(&[
            "caller",
            "application",
            workspace,
            text("applicationId").or_else(|| text("sub"))?,
            text("userId").unwrap_or_default(),
        ]));
    }
    Some(derive(&["caller", "user", workspace, text("userId").or_else(|| text("sub"))?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::json;

    fn jwt(claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}.c2ln", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims))
    }

    fn of(claims: &Value) -> String {
        of_token(&jwt(claims))
    }

    /// Times and session ids change with each token of a user; those of an API key change when it is issued anew.
    #[test]
    fn renewed_tokens() {
        let user = |at: i32| {
            json!({ "sub": "u1", "userId": "u1", "workspaceId": "w", "workspaceMemberId": "m", "userWorkspaceId": "uw",
                "type": "ACCESS", "authProvider": "password", "iat": at, "exp": at + 1_800 })
        };
        assert_eq!(of(&user(1)), of(&user(2)));
        let key = |at: i32| json!({ "sub": "w", "type": "API_KEY", "workspaceId": "w", "iat": at, "exp": at + 9, "jti": "k1" });
        assert_eq!(of(&key(1)), of(&key(2)));
        let app = |at: i32| json!({ "sub": "a", "applicationId": "a", "type": "APPLICATION_ACCESS", "workspaceId": "w", "iat": at });
        assert_eq!(of(&app(1)), of(&app(2)));
    }

    /// No two of these share a cx, among them ids of one kind that look like ids of another.
    #[test]
    fn different_callers() {
        let claims = [
            json!({ "sub": "x", "type": "ACCESS", "userId": "x", "workspaceId": "w" }),
            json!({ "sub": "y", "type": "ACCESS", "userId": "y", "workspaceId": "w" }),
            json!({ "sub": "x", "type": "ACCESS", "userId": "x", "workspaceId": "v" }),
            json!({ "sub": "w", "type": "API_KEY", "workspaceId": "w", "jti": "x" }),
            json!({ "sub": "w", "type": "API_KEY", "workspaceId": "w", "jti": "y" }),
            json!({ "sub": "w", "type": "API_KEY", "workspaceId": "w" }),
            json!({ "sub": "w", "type": "API_KEY", "workspaceId": "w", "iat": 1 }),
            json!({ "sub": "x", "type": "APPLICATION", "workspaceId": "w", "applicationId": "x" }),
            json!({ "sub": "x", "type": "APPLICATION_ACCESS", "workspaceId": "w", "applicationId": "x", "userId": "y" }),
            json!({ "iat": 1 }),
            json!({ "sub": 1 }),
            json!(["sub", "x"]),
        ];
        let mut all: Vec<String> = claims.iter().map(of).collect();
        all.extend(["x", "a.b.c", "a.b", "", "..", "stripe"].map(of_token));
        all.extend(["stripe", "gocardless"].map(of_source));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(of_source(" Stripe "), of_source("stripe"));
    }

    proptest! {
        #[test]
        fn no_token_panics(token in "\\PC{0,40}|[A-Za-z0-9_=-]{0,9}\\.[A-Za-z0-9_=-]{0,40}\\.[A-Za-z0-9_=-]{0,9}") {
            prop_assert!(!of_token(&token).is_empty());
        }
    }
}
