//! Which points are meant, and how that is written in Qdrant's words (<https://qdrant.tech/documentation/concepts/filtering>).

use omni_domain::{
    AppId, Comparison, DocumentId, MetadataField, MetadataFilter, MetadataTest, MetadataValue, Quantity, SiloId,
    Timestamp,
};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::PointId;
use crate::point::WireId;

/// The keys of the payload. Those of the tenant are text, since Qdrant groups tenants only by text or UUID.
pub(crate) mod key {
    pub(crate) const APP: &str = "app";
    pub(crate) const SILO: &str = "silo";
    pub(crate) const DOCUMENT: &str = "document";
    pub(crate) const METADATA: &str = "metadata";
}

/// Whose points they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tenant {
    /// The app.
    pub app: AppId,
    /// The silo of the app.
    pub silo: SiloId,
}

/// Which points of one tenant are meant: those that meet every condition.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    tenant: Tenant,
    conditions: Vec<Condition>,
}

/// What must hold for a point. Values compare as [`MetadataFilter`] says.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of these hold.
    All(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// It belongs to one of these documents.
    Documents(Vec<DocumentId>),
    /// It is one of these points.
    Points(Vec<PointId>),
    /// The field has this value.
    Equal(MetadataField, MetadataValue),
    /// The field has one of these values.
    In(MetadataField, Vec<MetadataValue>),
    /// The field lies on this side of the bound.
    Range(MetadataField, Comparison, Quantity),
}

impl Filter {
    /// Everything that the tenant has.
    #[must_use]
    pub const fn everything_of(tenant: Tenant) -> Self {
        Self { tenant, conditions: Vec::new() }
    }

    /// Only what meets this condition as well.
    #[must_use]
    pub fn and(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    /// Only what this filter over metadata lets pass as well.
    #[must_use]
    pub fn metadata(mut self, filter: &MetadataFilter) -> Self {
        self.conditions.extend(filter.conditions().iter().map(|condition| of_test(&condition.field, &condition.test)));
        self
    }

    /// Whose points are meant.
    #[must_use]
    pub const fn tenant(&self) -> Tenant {
        self.tenant
    }

    fn to_json(&self) -> Value {
        let tenant = [
            matching(key::APP, "value", &self.tenant.app.to_string()),
            matching(key::SILO, "value", &self.tenant.silo.to_string()),
        ];
        let must: Vec<_> = tenant.into_iter().chain(self.conditions.iter().map(Condition::to_json)).collect();
        json!({ "must": must })
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

fn of_test(field: &MetadataField, test: &MetadataTest) -> Condition {
    let field = field.clone();
    match test {
        MetadataTest::Equal(value) => Condition::Equal(field, value.clone()),
        MetadataTest::NotEqual(value) => Condition::Not(Box::new(Condition::Equal(field, value.clone()))),
        MetadataTest::In(values) => Condition::In(field, values.clone()),
        MetadataTest::Compare(comparison, bound) => Condition::Range(field, *comparison, *bound),
    }
}

impl Condition {
    fn to_json(&self) -> Value {
        match self {
            Self::All(conditions) => json!({ "must": conditions.iter().map(Self::to_json).collect::<Vec<_>>() }),
            Self::Not(condition) => json!({ "must_not": [condition.to_json()] }),
            Self::Documents(documents) => {
                let ids: Vec<_> = documents.iter().map(ToString::to_string).collect();
                matching(key::DOCUMENT, "any", &ids)
            }
            Self::Points(points) => {
                let ids: Vec<WireId> = points.iter().map(|point| (*point).into()).collect();
                json!({ "has_id": ids })
            }
            Self::Equal(field, value) => equal(&path(field), value),
            Self::In(field, values) => one_of(&path(field), values),
            Self::Range(field, comparison, bound) => {
                json!({ "key": path(field), "range": { operator(*comparison): quantity(*bound) } })
            }
        }
    }
}

/// A field's name needs no quotes in a path: its type sees to that.
fn path(field: &MetadataField) -> String {
    format!("{}.{field}", key::METADATA)
}

fn matching(key: &str, how: &str, what: &(impl Serialize + ?Sized)) -> Value {
    json!({ "key": key, "match": { how: what } })
}

/// Qdrant matches texts, truth values and integers, but no fractions and no moments: those are ranges of one value.
fn equal(key: &str, value: &MetadataValue) -> Value {
    match value {
        MetadataValue::Text(text) => matching(key, "value", text),
        MetadataValue::Boolean(truth) => matching(key, "value", truth),
        MetadataValue::Quantity(exact) => {
            json!({ "key": key, "range": { "gte": quantity(*exact), "lte": quantity(*exact) } })
        }
    }
}

/// `any` takes texts only; an empty one is met by nothing.
fn one_of(key: &str, values: &[MetadataValue]) -> Value {
    let texts: Option<Vec<&str>> = values
        .iter()
        .map(|value| match value {
            MetadataValue::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    match texts {
        Some(texts) => matching(key, "any", &texts),
        None => json!({ "should": values.iter().map(|value| equal(key, value)).collect::<Vec<_>>() }),
    }
}

const fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater => "gt",
        Comparison::GreaterOrEqual => "gte",
        Comparison::Less => "lt",
        Comparison::LessOrEqual => "lte",
    }
}

fn quantity(quantity: Quantity) -> Value {
    match quantity {
        Quantity::Number(number) => number.into(),
        Quantity::Date(moment) => rfc_3339(moment).into(),
    }
}

/// What lies outside the years that RFC 3339 can write compares as the nearest of them.
fn rfc_3339(moment: Timestamp) -> String {
    let nearest = if moment.year() > 9999 { "9999-12-31T23:59:59.999999999Z" } else { "0000-01-01T00:00:00Z" };
    moment.format(&Rfc3339).unwrap_or_else(|_| nearest.to_owned())
}

#[cfg(test)]
mod tests {
    use insta::assert_json_snapshot;

    use super::*;

    const TENANT: Tenant = Tenant { app: AppId::new(7), silo: SiloId::new(42) };

    fn translated(filter: &Value) -> Value {
        let filter = MetadataFilter::from_json("filter", filter).unwrap();
        Filter::everything_of(TENANT).metadata(&filter).to_json()
    }

    #[test]
    fn a_filter_is_never_without_its_tenant() {
        assert_json_snapshot!(Filter::everything_of(TENANT), @r#"
        {
          "must": [
            {
              "key": "app",
              "match": {
                "value": "7"
              }
            },
            {
              "key": "silo",
              "match": {
                "value": "42"
              }
            }
          ]
        }
        "#);
    }

    #[test]
    fn every_operator_has_its_translation() {
        assert_json_snapshot!(
            "every_operator",
            translated(&json!({
                "language": "en",
                "draft": { "$ne": true },
                "pages": { "$eq": 12, "$gt": 1, "$lt": 99.5 },
                "published": { "$gte": "2026-01-15", "$lte": "2026-02-01T12:00:00+01:00", "$ne": "2026-01-20T00:00:00Z" },
                "tag": { "$in": ["a", "b"] },
                "mixed": { "$in": ["a", 1, false, "2026-01-15"] },
            }))
        );
    }

    #[test]
    fn conditions_nest() {
        let field = |name: &str| MetadataField::new(name).unwrap();
        let text = |text: &str| MetadataValue::Text(text.to_owned());
        let filter = Filter::everything_of(TENANT)
            .and(Condition::Documents(vec![DocumentId::new(1), DocumentId::new(2)]))
            .and(Condition::Points(vec![PointId::Number(7)]))
            .and(Condition::Not(Box::new(Condition::All(vec![
                Condition::Equal(field("a"), text("b")),
                Condition::In(field("c"), Vec::new()),
            ]))));
        assert_json_snapshot!("nested", filter);
    }
}
