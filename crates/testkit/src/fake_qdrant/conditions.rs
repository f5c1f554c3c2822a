//! Which points a filter lets pass, as `condition_checker` and the documentation of Qdrant have it
//! (<https://qdrant.tech/documentation/concepts/filtering>).

use std::cmp::Ordering;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// What is no filter, and why.
pub(super) struct Unreadable(pub(super) String);

type Verdict = Result<bool, Unreadable>;

/// Whether the filter lets a point pass. No filter lets everything pass.
pub(super) fn matches(filter: &Value, payload: &Value, id: &Value) -> Verdict {
    let Some(clauses) = filter.as_object() else {
        return if filter.is_null() { Ok(true) } else { Err(unreadable("invalid type: a filter is an object")) };
    };
    for (clause, conditions) in clauses {
        let verdicts: Vec<bool> =
            listed(conditions).iter().map(|condition| meets(condition, payload, id)).collect::<Result<_, _>>()?;
        let passes = match clause.as_str() {
            "must" => verdicts.iter().all(|met| *met),
            "must_not" => !verdicts.iter().any(|met| *met),
            "should" => verdicts.is_empty() || verdicts.iter().any(|met| *met),
            unknown => return Err(unreadable(&format!("unknown field `{unknown}`"))),
        };
        if !passes {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A clause is a condition or a list of them.
fn listed(conditions: &Value) -> &[Value] {
    conditions.as_array().map_or(std::slice::from_ref(conditions), Vec::as_slice)
}

fn meets(condition: &Value, payload: &Value, id: &Value) -> Verdict {
    if let Some(ids) = condition["has_id"].as_array() {
        return Ok(ids.contains(id));
    }
    let Some(key) = condition["key"].as_str() else { return matches(condition, payload, id) };
    let test: fn(&Value, &Value) -> Verdict = match (&condition["match"], &condition["range"]) {
        (Value::Object(_), Value::Null) => matched,
        (Value::Null, Value::Object(_)) => in_range,
        _ => return Err(unreadable("Validation error: a condition needs `match` or `range`")),
    };
    let bound = if condition["match"].is_null() { &condition["range"] } else { &condition["match"] };
    // Of an array, any element may meet the condition.
    let found = key.split('.').try_fold(payload, |value, name| value.get(name)).unwrap_or(&Value::Null);
    let mut met = test(bound, &Value::Null)?;
    for value in listed(found) {
        met |= test(bound, value)?;
    }
    Ok(met)
}

fn matched(wanted: &Value, value: &Value) -> Verdict {
    let is_exact = |wanted: &Value| wanted.is_string() || wanted.is_boolean() || wanted.is_i64();
    match (&wanted["value"], wanted["any"].as_array()) {
        (exact, None) if is_exact(exact) => Ok(exact == value),
        (Value::Null, Some(any)) if any.iter().all(Value::is_string) || any.iter().all(Value::is_i64) => {
            Ok(any.contains(value))
        }
        _ => Err(unreadable("data did not match any variant of untagged enum Match")),
    }
}

fn in_range(range: &Value, value: &Value) -> Verdict {
    let mut within = true;
    for (operator, bound) in range.as_object().into_iter().flatten() {
        let order = match bound {
            Value::Number(_) => value.as_f64().zip(bound.as_f64()).and_then(|(value, bound)| value.partial_cmp(&bound)),
            Value::String(text) => {
                let bound = moment(text).ok_or_else(|| unreadable("not a valid RFC 3339 datetime"))?;
                value.as_str().and_then(moment).map(|value| value.cmp(&bound))
            }
            _ => return Err(unreadable("data did not match any variant of untagged enum RangeInterface")),
        };
        within &= match operator.as_str() {
            "gt" => order.is_some_and(Ordering::is_gt),
            "gte" => order.is_some_and(Ordering::is_ge),
            "lt" => order.is_some_and(Ordering::is_lt),
            "lte" => order.is_some_and(Ordering::is_le),
            unknown => return Err(unreadable(&format!("unknown field `{unknown}`"))),
        };
    }
    Ok(within)
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    let day = || Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| Some(day()?.midnight().assume_utc()))
}

fn unreadable(what: &str) -> Unreadable {
    Unreadable(what.to_owned())
}
