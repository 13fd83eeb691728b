//! GraphQL: one document, its root fields one after the other.
//!
//! Every error is an answer with status 200. Each root field costs a token; a root name may stand only once.

mod document;
mod mutation;
mod query;
mod select;

use std::collections::BTreeSet;

use ports::{Request, Response, Timestamp};
use serde_json::{Map, Value, json};

use crate::api_error::ApiError;
use crate::http;
use crate::render;
use crate::state::Sandbox;
use crate::tokens::{self, Caller};
use crate::write::Author;
use document::{Operation, Selection};

const MAX_ROOT_FIELDS: usize = 20;
const MAX_FIELDS: usize = 2_000;

enum Meaning {
    TypeName,
    Read(usize, query::Reading),
    Write(mutation::Writing),
}

/// Answers a call to `/graphql`.
pub(crate) fn answer(sandbox: &mut Sandbox, request: &Request, now: Timestamp) -> Response {
    let body = match http::json_body(request) {
        Ok(body) => body,
        Err(error) => return http::error(&error, sandbox.settings().profile),
    };
    let caller = match sandbox.caller(request) {
        Ok(caller) => caller,
        Err(error) => return respond(None, &[error.graphql()]),
    };
    let operation = match document::read(&body) {
        Ok(operation) => operation,
        Err(message) => return respond(None, &[json!({"message": message})]),
    };
    if let Err(error) = check(&operation) {
        return respond(Some("{}"), &[error]);
    }
    let kind = if operation.is_mutation { "Mutation" } else { "Query" };
    let mut roots = Vec::new();
    for root in &operation.roots {
        match caller.as_ref().and_then(|caller| meaning(sandbox, caller, &operation, root)) {
            Some(meaning) => roots.push((root, meaning)),
            None if root.name == "__typename" => roots.push((root, Meaning::TypeName)),
            None => {
                let message = format!("Cannot query field \"{}\" on type \"{kind}\".", root.name);
                return respond(None, &[json!({"message": message})]);
            }
        }
    }
    let (mut data, mut errors) = (String::from("{"), Vec::new());
    let mut throttled = false;
    for (root, meaning) in roots {
        if data.len() > 1 {
            data.push(',');
        }
        render::key(&root.key, &mut data);
        let mut value = String::new();
        let result = match (meaning, &caller) {
            (Meaning::TypeName, _) => {
                value = json!(kind).to_string();
                Ok(())
            }
            (meaning, Some(caller)) => carry_out(sandbox, caller, &meaning, root, now, &mut value),
            (_, None) => Ok(()),
        };
        match result {
            Ok(()) => data.push_str(&value),
            Err(error) => {
                throttled |= error.status == 429;
                data.push_str("null");
                errors.push(error.graphql());
            }
        }
    }
    data.push('}');
    if throttled {
        sandbox.count_refused();
    }
    respond(Some(&data), &errors)
}

/// Answers a call to `/metadata`: which workspace the token is of, as Twenty's command line asks before it keeps a token.
pub(crate) fn answer_metadata(sandbox: &mut Sandbox, request: &Request) -> Response {
    let body = match http::json_body(request) {
        Ok(body) => body,
        Err(error) => return http::error(&error, sandbox.settings().profile),
    };
    let caller = match sandbox.caller(request).and_then(|caller| caller.ok_or_else(tokens::missing)) {
        Ok(caller) => caller,
        Err(error) => return respond(None, &[error.graphql()]),
    };
    let operation = match document::read(&body) {
        Ok(operation) => operation,
        Err(message) => return respond(None, &[json!({"message": message})]),
    };
    let id = sandbox.workspace(&caller).id;
    let host = request.header("host").unwrap_or_default();
    let workspace = json!({
        "id": id,
        "displayName": "Sandbox",
        "workspaceUrls": { "subdomainUrl": format!("http://{host}"), "customUrl": null },
    });
    let kind = if operation.is_mutation { "Mutation" } else { "Query" };
    let mut data = Map::new();
    for root in &operation.roots {
        let value = match root.name.as_str() {
            "__typename" => json!(kind),
            "currentWorkspace" if !operation.is_mutation => workspace.clone(),
            name => {
                let message = format!("Cannot query field \"{name}\" on type \"{kind}\".");
                return respond(None, &[json!({"message": message})]);
            }
        };
        data.insert(root.key.clone(), selected(&value, root));
    }
    respond(Some(&Value::Object(data).to_string()), &[])
}

/// Of a value the members that are selected; one that it lacks is null
fn selected(value: &Value, selection: &Selection) -> Value {
    if !value.is_object() {
        return value.clone();
    }
    let members = selection.below.iter().map(|field| {
        let member = value.get(&field.name).unwrap_or(&Value::Null);
        (field.key.clone(), selected(member, field))
    });
    Value::Object(members.collect())
}

fn meaning(sandbox: &mut Sandbox, caller: &Caller, operation: &Operation, root: &Selection) -> Option<Meaning> {
    let workspace = sandbox.workspace(caller);
    if operation.is_mutation {
        mutation::find(workspace, &root.name).map(Meaning::Write)
    } else {
        query::find(workspace, &root.name).map(|(object, reading)| Meaning::Read(object, reading))
    }
}

fn carry_out(
    sandbox: &mut Sandbox,
    caller: &Caller,
    meaning: &Meaning,
    root: &Selection,
    now: Timestamp,
    out: &mut String,
) -> Result<(), ApiError> {
    sandbox.charge(caller, now)?;
    let workspace = sandbox.workspace(caller);
    match meaning {
        Meaning::TypeName => Ok(()),
        Meaning::Read(object, reading) => query::run(workspace, (*object, *reading), root, out),
        Meaning::Write(writing) => {
            let author = Author { actor: caller.actor.clone(), now: now.as_millis() };
            mutation::run(workspace, *writing, root, caller.may_write, &author, out)
        }
    }
}

/// What is refused for the document as a whole
fn check(operation: &Operation) -> Result<(), Value> {
    let refused = |message: String| Err(ApiError::bad(message).graphql());
    if operation.roots.len() > MAX_ROOT_FIELDS {
        return refused(format!(
            "Query too complex - Too many root resolvers requested: {} - Maximum allowed root resolvers: {MAX_ROOT_FIELDS}",
            operation.roots.len()
        ));
    }
    let mut names = BTreeSet::new();
    if let Some(root) = operation.roots.iter().find(|root| !names.insert(&root.name)) {
        return refused(format!("Duplicate root resolver: \"{}\"", root.name));
    }
    let fields: usize = operation.roots.iter().map(Selection::size).sum();
    if fields > MAX_FIELDS {
        return refused(format!(
            "Query too complex - Too many fields requested: {fields} - Maximum allowed fields: {MAX_FIELDS}"
        ));
    }
    Ok(())
}

fn respond(data: Option<&str>, errors: &[Value]) -> Response {
    let mut members = Vec::new();
    if let Some(data) = data {
        members.push(format!("\"data\":{data}"));
    }
    if !errors.is_empty() {
        members.push(format!("\"errors\":{}", json!(errors)));
    }
    let mut response = http::json(200, format!("{{{}}}", members.join(",")));
    if data.is_some() {
        response.headers = vec![("content-type".into(), "application/json".into())];
    }
    response
}
