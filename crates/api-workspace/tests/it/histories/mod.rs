//! A thousand histories of one app's people, each step of them held against a model: whatever they try, the app has one
//! owner, and nobody is above what they were given.

mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::join_all;
use omni_domain::Role;
use omni_testkit::{Call, Client, TestApi, TestDatabase};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::scene::UNKNOWN;
use model::{Actor, Model, PEOPLE, Status, Step, history};

/// One app, and everybody who could come to have a place in it.
struct Stage {
    operator: Client,
    people: Vec<Client>,
    database: Arc<TestDatabase>,
    app: i64,
}

fn email(of: usize) -> String {
    format!("person{of}@example.com")
}

impl Stage {
    async fn set(api: &TestApi) -> Self {
        let mut people = Vec::new();
        for of in 0..PEOPLE {
            people.push(api.client(&email(of)).await);
        }
        let operator = api.client("omniadmin@example.com").await;
        Self { operator, people, database: Arc::clone(api.database()), app: UNKNOWN }
    }

    fn client(&self, actor: Actor) -> &Client {
        actor.map_or(&self.operator, |person| &self.people[person])
    }

    /// The number of somebody's place or invitation; one that nothing has if there is none.
    async fn place(&self, of: usize) -> i64 {
        let place = "SELECT collab_id FROM collaborations WHERE app_id = $1 AND email = $2";
        let sql = self.database.sql().await;
        sql.query_opt(place, &[&self.app, &email(of)]).await.unwrap().map_or(UNKNOWN, |row| row.get(0))
    }

    async fn call(&self, step: &Step) -> Call {
        let app = self.app;
        let place = async |of: usize| format!("/internal/collaboration/{}", self.place(of).await);
        match step {
            Step::Invite { by, whom, role } => {
                let invite = self.client(*by).post(&format!("/internal/collaboration/apps/{app}/invite"));
                invite.json(&json!({ "email": email(*whom), "role": role.as_str() }))
            }
            Step::Accept { by, of } => self.client(*by).put(&format!("{}/accept", place(*of).await)),
            Step::Decline { by, of } => self.client(*by).put(&format!("{}/decline", place(*of).await)),
            Step::ChangeRole { by, of, role } => {
                self.client(*by).put(&place(*of).await).json(&json!({ "role": role.as_str() }))
            }
            Step::Remove { by, of } => self.client(*by).delete(&place(*of).await),
            Step::Leave { by } => self.client(*by).post(&format!("/internal/collaboration/apps/{app}/leave")),
            Step::DeleteApp { by } => self.client(*by).delete(&format!("/internal/apps/{app}")),
            Step::DeleteAccount { whom, heir } => {
                let heir = heir.map(|heir| format!("?transfer_to={}", self.people[heir].user_id)).unwrap_or_default();
                self.operator.delete(&format!("/internal/admin/users/{}{heir}", self.people[*whom].user_id))
            }
        }
    }

    /// The places as they are stored.
    async fn stored(&self) -> Model {
        let sql = self.database.sql().await;
        let owner = "SELECT o.email FROM apps a JOIN users o ON o.user_id = a.owner_id WHERE a.app_id = $1";
        let owner = sql.query_opt(owner, &[&self.app]).await.unwrap();
        let rows = "SELECT email, role, status FROM collaborations WHERE app_id = $1";
        let rows = sql.query(rows, &[&self.app]).await.unwrap();
        let person = |email: &str| self.people.iter().position(|person| person.email == email).unwrap();
        let status = |word: &str| match word {
            "pending" => Status::Pending,
            "accepted" => Status::Accepted,
            "declined" => Status::Declined,
            other => panic!("{other}"),
        };
        let members: BTreeMap<usize, (Role, Status)> = rows
            .iter()
            .map(|row| (person(row.get(0)), (row.get::<_, &str>(1).parse().unwrap(), status(row.get(2)))))
            .collect();
        Model { owner: owner.map(|row| person(row.get(0))), members }
    }

    /// Plays a history from its beginning, and clears up behind it.
    async fn play(&mut self, steps: &[Step]) -> Result<(), String> {
        self.app = self.people[0].create_app("An app").await;
        let mut model = Model::owned_by(0);
        let mut outcome = Ok(());
        for (number, step) in steps.iter().enumerate() {
            outcome = self.step(step, &mut model).await.map_err(|wrong| format!("step {number}, {step:?}: {wrong}"));
            if outcome.is_err() || model.owner.is_none() {
                break;
            }
        }
        // Whoever owns it would own it in the next history, too.
        self.operator.delete(&format!("/internal/apps/{}", self.app)).send().await;
        outcome
    }

    async fn step(&mut self, step: &Step, model: &mut Model) -> Result<(), String> {
        let before = model.clone();
        let wanted = model.take(step);
        let answer = self.call(step).await.send().await;
        if answer.status != wanted {
            return Err(format!("expected {wanted}; {answer}"));
        }
        if let Step::DeleteAccount { whom, .. } = step
            && wanted == 200
        {
            self.people[*whom] = self.people[*whom].again().await;
        }
        let stored = self.stored().await;
        if stored != *model {
            return Err(format!("expected {model:?}, and stored is {stored:?}"));
        }
        held(step, &before, &stored)
    }
}

/// The rules themselves, of what is stored: they hold whatever the model makes of a step.
fn held(step: &Step, before: &Model, after: &Model) -> Result<(), String> {
    let is_deleted = matches!(step, Step::DeleteApp { .. });
    if after.owner.is_none() && !is_deleted {
        return Err("nobody owns the app".to_owned());
    }
    if after.owner != before.owner && !is_deleted && !matches!(step, Step::DeleteAccount { .. }) {
        return Err("the app has changed hands".to_owned());
    }
    if after.owner.is_some_and(|owner| after.members.contains_key(&owner)) {
        return Err("the owner has a second place".to_owned());
    }
    let heir = if let Step::DeleteAccount { heir, .. } = step { *heir } else { None };
    for person in (0..PEOPLE).filter(|person| Some(*person) != heir) {
        let (was, is) = (before.rank(Some(person)), after.rank(Some(person)));
        let given = match step {
            Step::Accept { by, of } if *by == Some(person) && *of == person => {
                before.members.get(of).map(|(role, _)| *role)
            }
            Step::ChangeRole { by, of, .. } if *of == person && *by != Some(person) => before.rank(*by),
            _ => was,
        };
        if is > was && is > given {
            return Err(format!("person {person} rose from {was:?} to {is:?}"));
        }
    }
    let above = after.members.iter().filter(|(person, place)| before.members.get(person) != Some(place));
    let by = match step {
        Step::Invite { by, .. } | Step::ChangeRole { by, .. } => before.rank(*by),
        _ => return Ok(()),
    };
    match above.map(|(_, (role, _))| *role).find(|role| Some(*role) > by || *role >= Role::Owner) {
        Some(role) => Err(format!("somebody who is {by:?} gave the role {role}")),
        None => Ok(()),
    }
}

/// Plays so many histories one after the other, on a server of their own.
fn play(cases: u32) {
    let runtime = Runtime::new().unwrap();
    let (api, stage) = runtime.block_on(async {
        let api = TestApi::start().await;
        let stage = Stage::set(&api).await;
        (api, std::cell::RefCell::new(stage))
    });
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let played = TestRunner::new(config)
        .run(&history(), |steps| runtime.block_on(stage.borrow_mut().play(&steps)).map_err(TestCaseError::fail));
    runtime.block_on(async { drop(api) });
    played.unwrap_or_else(|failure| panic!("{failure}"));
}

// Two halves, for two processors.

#[test]
fn in_five_hundred_histories_an_app_has_one_owner_and_nobody_rises_by_themselves() {
    play(500);
}

#[test]
fn and_in_five_hundred_more() {
    play(500);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_acceptances_at_once_one_is_taken() {
    let api = TestApi::start().await;
    let owner = api.client("owner@example.com").await;
    let app = owner.create_app("Our app").await;
    let (mut browsers, mut others) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        browsers.push(api.client("bob@example.com").await);
    }
    for other in 0..10 {
        others.push(api.client(&email(other)).await);
    }
    for role in ["viewer", "editor", "administrator"] {
        let invite = owner.post(&format!("/internal/collaboration/apps/{app}/invite"));
        let invited = invite.json(&json!({ "email": "bob@example.com", "role": role })).send().await.expect(201);
        let path = format!("/internal/collaboration/{}", invited["collab_id"]);
        let accept = format!("{path}/accept");
        let (own, foreign) = tokio::join!(
            join_all(browsers.iter().map(|browser| browser.put(&accept).send())),
            join_all(others.iter().map(|other| other.put(&accept).send())),
        );
        let mut statuses: Vec<u16> = own.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (200, &[409; 49][..]));
        for answer in foreign {
            answer.refusal(404);
        }
        let members = owner.get(&format!("/internal/collaboration/apps/{app}/collaborators")).send().await.expect(200);
        let places: Vec<_> = members.as_array().unwrap().iter().map(|one| (&one["role"], &one["status"])).collect();
        assert_eq!(places, [(&json!(role), &json!("accepted"))]);
        // An invitation that was taken back is taken by nobody, however often it is tried again.
        owner.delete(&path).send().await.expect(200);
        let late = join_all(browsers.iter().take(10).map(|browser| browser.put(&accept).send())).await;
        late.iter().for_each(|answer| drop(answer.refusal(404)));
        assert_eq!(browsers[0].get(&format!("/internal/apps/{app}")).send().await.status, 404);
    }
}
