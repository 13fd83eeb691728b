//! From the declared names to the workspace's, and back: paths, filters, bodies, replies.

use serde_json::{Map, Value};
use twenty::schema;

use crate::{Field, Model, Object};

impl Model {
    /// The workspace's path for a call: `/gifts?filter=donorId[eq]:1` → `/donations?filter=giverId[eq]:1`. `query` is
    /// the decoded query, whose `filter` and `order_by` name fields.
    #[must_use]
    pub fn workspace_path(&self, path: &str) -> String {
        let Some(object) = self.object_of(path).filter(|_| self.renamed) else { return path.to_owned() };
        let Some(own) = &object.own else { return path.to_owned() };
        let segments =
            path.split('/').map(|segment| if segment == object.names.plural { &own.plural } else { segment });
        let mut mapped = String::with_capacity(path.len());
        for (at, segment) in segments.enumerate() {
            if at > 0 {
                mapped.push('/');
            }
            mapped.push_str(segment);
        }
        mapped
    }

    /// The workspace's text for a decoded `filter` or `order_by` of a call to this path
    #[must_use]
    pub fn workspace_expression(&self, path: &str, expression: &str) -> String {
        let Some(object) = self.object_of(path).filter(|_| self.renamed) else { return expression.to_owned() };
        let mut mapped = String::with_capacity(expression.len());
        let (mut word, mut quoted, mut names) = (String::new(), false, true);
        for letter in expression.chars() {
            if names && letter.is_ascii_alphanumeric() {
                word.push(letter);
                continue;
            }
            // A name ends where its comparison, its direction or its sub-field begins.
            if matches!(letter, '[' | '.') && !word.is_empty() {
                mapped.push_str(object.own_name(&word).as_deref().unwrap_or(&word));
            } else {
                mapped.push_str(&word);
            }
            word.clear();
            mapped.push(letter);
            match letter {
                '"' => quoted = !quoted,
                _ if quoted => {}
                '(' | ',' => names = true,
                '[' | '.' | ':' => names = false,
                _ => {}
            }
        }
        mapped.push_str(&word);
        mapped
    }

    /// The workspace's body for a call to this path: own names, and nothing that is left out
    #[must_use]
    pub fn workspace_body(&self, path: &str, body: &Value) -> Value {
        let Some(object) = self.object_of(path).filter(|_| self.renamed) else { return body.clone() };
        let record = |members: &Map<String, Value>| {
            let members = members.iter().filter_map(|(key, value)| {
                let known = object.fields.iter().find(|field| field.is_called(key));
                if known.is_some_and(|field| self.is_left_out(field)) {
                    return None;
                }
                Some((object.own_name(key).unwrap_or_else(|| key.clone()), value.clone()))
            });
            Value::Object(twenty::object::object(members))
        };
        match body {
            Value::Object(members) => record(members),
            Value::Array(list) => {
                list.iter().map(|each| each.as_object().map_or_else(|| each.clone(), record)).collect()
            }
            _ => body.clone(),
        }
    }

    /// A reply of the workspace to a call of this path, in the declared names
    #[must_use]
    pub fn declared_reply(&self, path: &str, mut reply: Value) -> Value {
        let Some(object) = self.object_of(path).filter(|_| self.renamed) else { return reply };
        let Some(own) = &object.own else { return reply };
        let Some(data) = reply.get_mut("data").and_then(Value::as_object_mut) else { return reply };
        let renamed = std::mem::take(data).into_iter().map(|(key, value)| {
            let key = declared_key(&key, own, &object.names);
            let value = match value {
                Value::Object(record) => object.declared_record(record),
                Value::Array(list) => list
                    .into_iter()
                    .map(|each| match each {
                        Value::Object(record) => object.declared_record(record),
                        other => other,
                    })
                    .collect(),
                other => other,
            };
            (key, value)
        });
        *data = twenty::object::object(renamed);
        reply
    }

    /// The object that a path is about: its first segment, or the second after `/batch`
    fn object_of(&self, path: &str) -> Option<&Object> {
        let path = path.split('?').next().unwrap_or_default();
        let mut segments = path.split('/').filter(|segment| !segment.is_empty() && *segment != "batch");
        let plural = segments.next()?;
        self.objects.iter().find(|object| object.names.plural == plural)
    }
}

impl Object {
    /// The workspace's name for a field, or for the column of a relation
    fn own_name(&self, name: &str) -> Option<String> {
        self.fields.iter().find_map(|field| rename_field(name, &field.name, field.own.as_ref()?))
    }

    fn declared_record(&self, record: Map<String, Value>) -> Value {
        let members = record.into_iter().map(|(key, value)| {
            let name = self.fields.iter().find_map(|field| rename_field(&key, field.own.as_ref()?, &field.name));
            (name.unwrap_or(key), value)
        });
        Value::Object(twenty::object::object(members))
    }
}

impl Field {
    fn is_called(&self, key: &str) -> bool {
        rename_field(key, &self.name, &self.name).is_some()
    }
}

/// `to`, or `to` with the ending of a relation's column, where `name` is `from` or that with the ending
fn rename_field(name: &str, from: &str, to: &str) -> Option<String> {
    match name.strip_prefix(from)? {
        ending @ ("" | "Id") => Some(to.to_owned() + ending),
        _ => None,
    }
}

/// `createDonation` → `createGift`, `donations` → `gifts`
fn declared_key(key: &str, own: &schema::Names, names: &schema::Names) -> String {
    if key == own.plural {
        return names.plural.clone();
    }
    if key == own.singular {
        return names.singular.clone();
    }
    for operation in ["create", "update", "delete", "destroy", "restore"] {
        if key == own.one(operation) {
            return names.one(operation);
        }
        if key == own.many(operation) {
            return names.many(operation);
        }
    }
    key.to_owned()
}

#[cfg(test)]
mod tests {
    use crate::tests::renamed;
    use serde_json::json;

    #[test]
    fn names_are_translated_both_ways() {
        let model = renamed();
        assert_eq!(model.workspace_path("/gifts/1?depth=0"), "/donations/1?depth=0");
        assert_eq!(model.workspace_path("/batch/gifts"), "/batch/donations");
        assert_eq!(model.workspace_path("/people/1"), "/people/1");
        let sent = json!({"amount": {"amountMicros": 1}, "donorId": "d", "notes": "n", "fundId": "f", "giftDate": "2026-01-01"});
        let body = model.workspace_body("/gifts", &sent);
        assert_eq!(body, json!({"value": {"amountMicros": 1}, "giverId": "d", "giftDate": "2026-01-01"}));
        assert_eq!(model.workspace_body("/batch/gifts", &json!([sent])), json!([body]));
        let reply =
            json!({"data": {"createDonation": {"id": "1", "value": null, "giver": {"id": "d"}, "giverId": "d"}}});
        let ours = json!({"data": {"createGift": {"id": "1", "amount": null, "donor": {"id": "d"}, "donorId": "d"}}});
        assert_eq!(model.declared_reply("/gifts", reply), ours);
        let list = json!({"data": {"donations": [{"value": 1}]}, "totalCount": 1});
        assert_eq!(
            model.declared_reply("/gifts?limit=1", list),
            json!({"data": {"gifts": [{"amount": 1}]}, "totalCount": 1})
        );
    }

    #[test]
    fn filters_and_orders_are_translated() {
        let model = renamed();
        let filter =
            r#"and(amount.amountMicros[gt]:5,donorId[eq]:"donorId,amount[eq]",or(giftDate[is]:NULL,amount[is]:NULL))"#;
        let mapped =
            r#"and(value.amountMicros[gt]:5,giverId[eq]:"donorId,amount[eq]",or(giftDate[is]:NULL,value[is]:NULL))"#;
        assert_eq!(model.workspace_expression("/gifts", filter), mapped);
        assert_eq!(
            model.workspace_expression("/gifts", "amount.amountMicros[DescNullsLast],id"),
            "value.amountMicros[DescNullsLast],id"
        );
        assert_eq!(model.workspace_expression("/people", filter), filter);
    }
}
