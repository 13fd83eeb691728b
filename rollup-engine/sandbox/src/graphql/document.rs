//! A GraphQL document, flattened: fragments unfolded, variables filled in, arguments as JSON.
//!
//! Names are not checked here. Of aliases only the root's counts; further down the real server ignores them.

use std::collections::HashMap;

use async_graphql_parser::types::{
    Directive, ExecutableDocument, OperationDefinition, OperationType, Selection as Item, SelectionSet,
};
use async_graphql_parser::{Positioned, parse_query};
use async_graphql_value::Value as Literal;
use serde_json::{Map, Value};

/// A field with its arguments and what is selected below it
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    pub(crate) name: String,
    /// Name in the answer
    pub(crate) key: String,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) below: Vec<Selection>,
}

impl Selection {
    /// What is selected below the field of that name
    pub(crate) fn child(&self, name: &str) -> Option<&Selection> {
        self.below.iter().find(|child| child.name == name)
    }

    /// Number of fields, this one included
    pub(crate) fn size(&self) -> usize {
        1 + self.below.iter().map(Self::size).sum::<usize>()
    }
}

/// One operation
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) is_mutation: bool,
    pub(crate) roots: Vec<Selection>,
}

/// Fragments inside fragments, at most; more is a circle
const NESTING: usize = 16;

/// Reads the body of a GraphQL call; the error is the server's message.
pub(crate) fn read(body: &Value) -> Result<Operation, String> {
    let text = body.get("query").and_then(Value::as_str).ok_or("Must provide query string.")?;
    let document = parse_query(text).map_err(|error| {
        let at_end = error.positions().next().is_none_or(|position| is_at_end(text, position.line, position.column));
        if at_end {
            "Syntax Error: Expected Name, found <EOF>.".to_owned()
        } else {
            format!("Syntax Error: {}", error.to_string().lines().next().unwrap_or("Unexpected token."))
        }
    })?;
    let operation = choose(&document, body.get("operationName").and_then(Value::as_str))?;
    let mut variables: HashMap<String, Value> = HashMap::new();
    for definition in &operation.variable_definitions {
        let default = definition.node.default_value.as_ref().and_then(|default| default.node.clone().into_json().ok());
        if let Some(value) = default {
            variables.insert(definition.node.name.node.to_string(), value);
        }
    }
    for (name, value) in body.get("variables").and_then(Value::as_object).into_iter().flatten() {
        variables.insert(name.clone(), value.clone());
    }
    let reader = Reader { document: &document, variables };
    Ok(Operation {
        is_mutation: operation.ty == OperationType::Mutation,
        roots: reader.selections(&operation.selection_set.node, 0),
    })
}

fn is_at_end(text: &str, line: usize, column: usize) -> bool {
    let rest: String = text.lines().skip(line.saturating_sub(1)).collect::<Vec<_>>().join("\n");
    rest.chars().skip(column.saturating_sub(1)).all(char::is_whitespace)
}

fn choose<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Result<&'a OperationDefinition, String> {
    let mut all = document.operations.iter();
    match name {
        Some(name) => all
            .find(|(known, _)| known.is_some_and(|known| known.as_str() == name))
            .or_else(|| document.operations.iter().find(|(known, _)| known.is_none()))
            .map(|(_, operation)| &operation.node)
            .ok_or_else(|| format!("Unknown operation named \"{name}\".")),
        None => match (all.next(), all.next()) {
            (Some((_, operation)), None) => Ok(&operation.node),
            _ => Err("Must provide operation name if query contains multiple operations.".to_owned()),
        },
    }
}

struct Reader<'a> {
    document: &'a ExecutableDocument,
    variables: HashMap<String, Value>,
}

impl Reader<'_> {
    fn selections(&self, set: &SelectionSet, depth: usize) -> Vec<Selection> {
        let mut selections = Vec::new();
        if depth > NESTING {
            return selections;
        }
        for item in &set.items {
            if !self.is_included(item.node.directives()) {
                continue;
            }
            match &item.node {
                Item::Field(field) => {
                    let field = &field.node;
                    let arguments = field
                        .arguments
                        .iter()
                        .filter_map(|(name, value)| Some((name.node.to_string(), self.resolve(&value.node)?)));
                    selections.push(Selection {
                        name: field.name.node.to_string(),
                        key: field.response_key().node.to_string(),
                        arguments: arguments.collect(),
                        below: self.selections(&field.selection_set.node, depth),
                    });
                }
                Item::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        selections.extend(self.selections(&fragment.node.selection_set.node, depth + 1));
                    }
                }
                Item::InlineFragment(fragment) => {
                    selections.extend(self.selections(&fragment.node.selection_set.node, depth + 1));
                }
            }
        }
        selections
    }

    fn is_included(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.node.get_argument("if").and_then(|value| self.resolve(&value.node));
            match directive.node.name.node.as_str() {
                "include" => condition != Some(Value::Bool(false)),
                "skip" => condition != Some(Value::Bool(true)),
                _ => true,
            }
        })
    }

    /// A literal as JSON; nothing for a variable that was not given
    fn resolve(&self, literal: &Literal) -> Option<Value> {
        match literal {
            Literal::Variable(name) => self.variables.get(name.as_str()).cloned(),
            Literal::List(items) => Some(items.iter().map(|item| self.resolve(item).unwrap_or(Value::Null)).collect()),
            Literal::Object(members) => Some(Value::Object(
                members.iter().filter_map(|(name, value)| Some((name.to_string(), self.resolve(value)?))).collect(),
            )),
            other => other.clone().into_json().ok(),
        }
    }
}
