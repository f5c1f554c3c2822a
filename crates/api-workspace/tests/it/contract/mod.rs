//! The table of endpoints against the contract's.

use std::collections::BTreeSet;

use omni_api_workspace::ROUTES;
use omni_domain::Role;

/// Every endpoint that the contract promises: method, path, purpose, least role, section.
const PROMISED: &str = include_str!("internal-api.csv");
/// Those that are still to be built. A line goes away with the endpoint; none ever comes.
const NOT_YET: &str = include_str!("not-yet.csv");
/// How many of those there are. It goes down with them.
const NOT_YET_COUNT: usize = 32;

fn lines(csv: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    csv.lines().skip(1).map(|line| line.split(',').collect())
}

fn not_yet() -> BTreeSet<(&'static str, &'static str)> {
    lines(NOT_YET).map(|line| (line[0], line[1])).collect()
}

fn served() -> BTreeSet<(&'static str, &'static str)> {
    ROUTES.iter().map(|route| (route.method.as_str(), route.path)).collect()
}

#[test]
fn what_is_promised_is_served_or_known_to_be_missing() {
    let (served, not_yet) = (served(), not_yet());
    let promised: BTreeSet<_> = lines(PROMISED).map(|line| (line[0], line[1])).collect();
    assert_eq!(promised.len(), 94, "lines of the contract");
    let forgotten: Vec<_> =
        promised.iter().filter(|line| !served.contains(*line) && !not_yet.contains(*line)).collect();
    assert_eq!(forgotten, Vec::<&(&str, &str)>::new(), "promised, and neither served nor in not-yet.csv");
    let built: Vec<_> = not_yet.intersection(&served).collect();
    assert_eq!(built, Vec::<&(&str, &str)>::new(), "served by now: take them out of not-yet.csv");
    let invented: Vec<_> = not_yet.difference(&promised).collect();
    assert_eq!(invented, Vec::<&(&str, &str)>::new(), "in not-yet.csv, but not promised");
    assert_eq!(not_yet.len(), NOT_YET_COUNT, "not-yet.csv may only get shorter, and its count with it");
}

#[test]
fn who_may_is_what_the_contract_says() {
    let roles: Vec<_> = lines(PROMISED)
        .filter_map(|line| {
            let route = ROUTES.iter().find(|route| (route.method.as_str(), route.path) == (line[0], line[1]))?;
            let promised = match line[3] {
                "no auth" => None,
                // Whom an invitation asks; they have no role in the app yet.
                "invited user" => Some(Role::User),
                role => Some(role.parse::<Role>().unwrap()),
            };
            Some((line[0], line[1], promised, route.access().lowest))
        })
        .collect();
    assert!(!roles.is_empty());
    let wrong: Vec<_> = roles.iter().filter(|(_, _, promised, ours)| promised != ours).collect();
    assert_eq!(wrong, Vec::<&(&str, &str, Option<Role>, Option<Role>)>::new(), "method, path, promised, ours");
}
