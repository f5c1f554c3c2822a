use std::fmt;

use serde_json::{Map, Value};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

use crate::{Invalid, Timestamp};

/// The most conditions in one filter.
const MOST_CONDITIONS: usize = 32;
/// The most values that `$in` lists.
const MOST_VALUES: usize = 100;
/// The longest name of a field, in characters.
const LONGEST_NAME: usize = 64;
/// The longest text that is compared with, in characters.
const LONGEST_TEXT: usize = 1_000;
/// Up to here a double tells every integer from the next.
const EXACT_INTEGERS: u64 = 1 << 53;

/// Which chunks or documents a search may find, by what their metadata says: conditions that must all hold.
///
/// It is written as JSON, `{"language": "en", "year": {"$gte": 2020, "$lt": 2024}, "tag": {"$in": ["a", "b"]}}`: a plain
/// value means `$eq`. Every store translates it, and all of them mean the same by it:
///
/// * a value that is missing or of another type equals nothing and lies in no range, so that `$ne` is true of it;
/// * of a list of values, any one may meet the condition; `$ne` is true if none of them equals;
/// * numbers compare as doubles, so that `1` equals `1.0`; text compares byte by byte;
/// * a text that is an RFC 3339 date or date and time (`2026-01-15`, `2026-01-15T12:00:00+01:00`) is a moment, and moments
///   compare as such; a date alone is its midnight in UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataFilter {
    conditions: Vec<MetadataCondition>,
}

/// One condition of a filter.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataCondition {
    /// The field that is looked at.
    pub field: MetadataField,
    /// What must hold for it.
    pub test: MetadataTest,
}

/// The name of a field of the metadata: 1 to 64 ASCII letters, digits, `_` and `-`. It can stand in a path of any store
/// without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MetadataField(String);

/// What must hold for a field.
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataTest {
    /// `$eq`
    Equal(MetadataValue),
    /// `$ne`
    NotEqual(MetadataValue),
    /// `$in`: equal to one of these; there is at least one.
    In(Vec<MetadataValue>),
    /// `$gt`, `$gte`, `$lt`, `$lte`
    Compare(Comparison, Quantity),
}

/// On which side of the bound a value must lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `$gt`
    Greater,
    /// `$gte`
    GreaterOrEqual,
    /// `$lt`
    Less,
    /// `$lte`
    LessOrEqual,
}

/// What has an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Quantity {
    /// A finite number.
    Number(f64),
    /// A moment in UTC, within the years 1 to 9999.
    Date(Timestamp),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataValue {
    /// A text that is no date.
    Text(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A number or a date.
    Quantity(Quantity),
}

impl MetadataFilter {
    /// Reads a filter; `field` is what the request calls it.
    ///
    /// # Errors
    /// An [`Invalid`] for `field` that names the field of the metadata, the operator, and what would be right.
    pub fn from_json(field: &'static str, filter: &Value) -> Result<Self, Invalid> {
        read(filter).map(|conditions| Self { conditions }).map_err(|problem| Invalid::new(field, problem))
    }

    /// The conditions, all of which must hold. An empty filter lets everything pass.
    #[must_use]
    pub fn conditions(&self) -> &[MetadataCondition] {
        &self.conditions
    }
}

impl MetadataField {
    /// Takes a name if it can be one.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let fits = (1..=LONGEST_NAME).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        fits.then(|| Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MetadataField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn read(filter: &Value) -> Result<Vec<MetadataCondition>, String> {
    let Value::Object(fields) = filter else {
        return Err("must be an object of fields and what they must be, such as {\"language\": \"en\"}".to_owned());
    };
    let mut conditions = Vec::new();
    for (name, wanted) in fields {
        let field = MetadataField::new(name).ok_or_else(|| {
            let shown: String = name.chars().take(LONGEST_NAME).collect();
            format!("`{shown}` is no field of metadata: 1 to {LONGEST_NAME} letters, digits, `_` and `-` are")
        })?;
        let tests = tests(wanted).map_err(|problem| format!("the field `{field}`: {problem}"))?;
        conditions.extend(tests.into_iter().map(|test| MetadataCondition { field: field.clone(), test }));
        // Within the loop: what comes after is not even looked at.
        if conditions.len() > MOST_CONDITIONS {
            return Err(format!("must have at most {MOST_CONDITIONS} conditions"));
        }
    }
    Ok(conditions)
}

fn tests(wanted: &Value) -> Result<Vec<MetadataTest>, String> {
    match wanted {
        Value::Object(operators) => operated(operators),
        plain => Ok(vec![MetadataTest::Equal(value(plain)?)]),
    }
}

fn operated(operators: &Map<String, Value>) -> Result<Vec<MetadataTest>, String> {
    if operators.is_empty() {
        return Err("has no operator; write {\"$eq\": …}".to_owned());
    }
    if operators.len() > MOST_CONDITIONS {
        return Err(format!("has more than {MOST_CONDITIONS} operators"));
    }
    operators
        .iter()
        .map(|(operator, operand)| test(operator, operand).map_err(|problem| format!("`{operator}` {problem}")))
        .collect()
}

fn test(operator: &str, operand: &Value) -> Result<MetadataTest, String> {
    let comparison = match operator {
        "$eq" => return value(operand).map(MetadataTest::Equal),
        "$ne" => return value(operand).map(MetadataTest::NotEqual),
        "$in" => return values(operand).map(MetadataTest::In),
        "$gt" => Comparison::Greater,
        "$gte" => Comparison::GreaterOrEqual,
        "$lt" => Comparison::Less,
        "$lte" => Comparison::LessOrEqual,
        _ => return Err("is no operator; there are $eq, $ne, $gt, $gte, $lt, $lte and $in".to_owned()),
    };
    match value(operand)? {
        MetadataValue::Quantity(bound) => Ok(MetadataTest::Compare(comparison, bound)),
        _ => Err("compares with a number or an RFC 3339 date, such as \"2026-01-15T12:00:00Z\"".to_owned()),
    }
}

fn values(operand: &Value) -> Result<Vec<MetadataValue>, String> {
    match operand {
        Value::Array(list) if (1..=MOST_VALUES).contains(&list.len()) => list.iter().map(value).collect(),
        _ => Err(format!("needs a list of 1 to {MOST_VALUES} values")),
    }
}

fn value(json: &Value) -> Result<MetadataValue, String> {
    match json {
        Value::String(text) => text_or_date(text),
        Value::Bool(truth) => Ok(MetadataValue::Boolean(*truth)),
        Value::Number(number) => {
            let integer = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            match number.as_f64().filter(|number| number.is_finite()) {
                Some(number) if integer.is_none_or(|integer| integer <= EXACT_INTEGERS) => {
                    Ok(MetadataValue::Quantity(Quantity::Number(number)))
                }
                _ => Err(format!("has a number that is too large; integers go up to {EXACT_INTEGERS}")),
            }
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err("must be compared with a text, a number, true, false or a date".to_owned())
        }
    }
}

fn text_or_date(text: &str) -> Result<MetadataValue, String> {
    // Bytes first: counting the characters of a megabyte to refuse it would be work done for the attacker.
    if text.len() > LONGEST_TEXT * 4 || text.chars().count() > LONGEST_TEXT {
        return Err(format!("has a text of more than {LONGEST_TEXT} characters"));
    }
    if text.contains('\0') {
        return Err("has a text with a NUL character".to_owned());
    }
    let date = moment(text).map(|date| MetadataValue::Quantity(Quantity::Date(date)));
    Ok(date.unwrap_or_else(|| MetadataValue::Text(text.to_owned())))
}

/// The moment that a text is, in UTC. What is no longer a year of four digits there is a text like any other.
fn moment(text: &str) -> Option<Timestamp> {
    let day = || Date::parse(text, format_description!("[year]-[month]-[day]")).ok();
    let written = OffsetDateTime::parse(text, &Rfc3339).ok().or_else(|| Some(day()?.midnight().assume_utc()))?;
    written.checked_to_offset(UtcOffset::UTC).filter(|moment| (1..=9999).contains(&moment.year()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    fn parsed(filter: &Value) -> Vec<(String, MetadataTest)> {
        let filter = MetadataFilter::from_json("filter_metadata", filter).unwrap();
        filter.conditions().iter().map(|condition| (condition.field.to_string(), condition.test.clone())).collect()
    }

    fn refusal(filter: &Value) -> String {
        let error = MetadataFilter::from_json("filter_metadata", filter).unwrap_err();
        assert_eq!(error.field, "filter_metadata");
        error.problem
    }

    fn number(number: f64) -> MetadataValue {
        MetadataValue::Quantity(Quantity::Number(number))
    }

    #[test]
    fn a_plain_value_means_equal() {
        let filter = json!({ "language": "en", "draft": false, "year": 2020 });
        let expected = [
            ("language".to_owned(), MetadataTest::Equal(MetadataValue::Text("en".into()))),
            ("draft".to_owned(), MetadataTest::Equal(MetadataValue::Boolean(false))),
            ("year".to_owned(), MetadataTest::Equal(number(2020.0))),
        ];
        assert_eq!(parsed(&filter), expected);
        assert!(parsed(&json!({})).is_empty());
    }

    #[test]
    fn operators_on_one_field_all_hold() {
        let filter = json!({ "year": { "$gte": 2020, "$lt": 2024.5, "$ne": 2022, "$in": [2021, "x"] } });
        let tests: Vec<_> = parsed(&filter).into_iter().map(|(_, test)| test).collect();
        let expected = [
            MetadataTest::Compare(Comparison::GreaterOrEqual, Quantity::Number(2020.0)),
            MetadataTest::Compare(Comparison::Less, Quantity::Number(2024.5)),
            MetadataTest::NotEqual(number(2022.0)),
            MetadataTest::In(vec![number(2021.0), MetadataValue::Text("x".into())]),
        ];
        assert_eq!(tests, expected);
    }

    #[test]
    fn a_date_is_a_moment_in_utc() {
        let filter = json!({ "from": { "$gt": "2026-01-15T12:00:00+01:00" }, "day": "2026-01-15" });
        let expected = [
            (
                "from".to_owned(),
                MetadataTest::Compare(Comparison::Greater, Quantity::Date(datetime!(2026-01-15 11:00 UTC))),
            ),
            (
                "day".to_owned(),
                MetadataTest::Equal(MetadataValue::Quantity(Quantity::Date(datetime!(2026-01-15 0:00 UTC)))),
            ),
        ];
        assert_eq!(parsed(&filter), expected);
    }

    #[test]
    fn a_date_beyond_what_stores_can_hold_is_a_text() {
        for text in ["9999-12-31T23:59:59-23:59", "0000-01-01T00:00:00+23:59", "2026-02-30"] {
            let expected = ("at".to_owned(), MetadataTest::Equal(MetadataValue::Text(text.into())));
            assert_eq!(parsed(&json!({ "at": text })), [expected]);
        }
    }

    #[test]
    fn a_refusal_names_the_field_and_what_would_be_right() {
        let many: Map<String, Value> = (0..33).map(|n| (format!("f{n}"), json!(n))).collect();
        let cases = [
            (json!(["a"]), "must be an object"),
            (json!({ "a.b": 1 }), "`a.b` is no field of metadata"),
            (json!({ "": 1 }), "is no field of metadata"),
            (json!({ "a": null }), "the field `a`: must be compared with"),
            (json!({ "a": {} }), "the field `a`: has no operator"),
            (json!({ "a": { "$regex": ".*" } }), "the field `a`: `$regex` is no operator"),
            (json!({ "a": { "$gt": "b" } }), "the field `a`: `$gt` compares with a number or an RFC 3339 date"),
            (json!({ "a": { "$gt": true } }), "the field `a`: `$gt` compares with"),
            (json!({ "a": { "$in": [] } }), "the field `a`: `$in` needs a list of 1 to 100 values"),
            (json!({ "a": { "$in": vec![1; 101] } }), "needs a list of 1 to 100 values"),
            (json!({ "a": { "$eq": { "$eq": 1 } } }), "the field `a`: `$eq` must be compared with"),
            (json!({ "a": "x".repeat(1001) }), "more than 1000 characters"),
            (json!({ "a": "\0" }), "NUL"),
            (json!({ "a": 9_007_199_254_740_993_u64 }), "too large"),
            (json!({ "a": i64::MIN }), "too large"),
            (Value::Object(many), "at most 32 conditions"),
        ];
        for (filter, expected) in cases {
            let problem = refusal(&filter);
            assert!(problem.contains(expected), "{problem}");
        }
        assert!(refusal(&json!({ "é".repeat(5000): 1 })).len() < 300, "what was sent comes back shortened");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
            "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:00:00[+-][0-9]{2}:00)?".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let key =
                prop_oneof![Just("$eq".to_owned()), Just("$in".to_owned()), Just("$gt".to_owned()), "[a-z$.]{0,4}"];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::vec((key, inner), 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_is_a_filter_within_the_limits_or_a_refusal(json in any_json()) {
            match MetadataFilter::from_json("filter", &json) {
                Ok(filter) => prop_assert!(filter.conditions().len() <= MOST_CONDITIONS),
                Err(error) => prop_assert!(error.problem.len() < 500),
            }
        }
    }
}
