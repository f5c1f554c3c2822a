//! Sessions begin for accounts that are open, whatever was known of them a moment before.

use omni_domain::{Actor, Origin, Provenance, Timestamp};
use omni_persistence::{NewSession, Way};
use omni_rbac::SessionKey;
use omni_testkit::TestDatabase;

#[tokio::test]
async fn no_session_begins_beside_the_deactivation_of_its_account() {
    let database = TestDatabase::new().await;
    let (store, now) = (database.store(), Timestamp::UNIX_EPOCH);
    let user = store.person_by_email("ada@example.com", "Ada", now).await.unwrap();
    let new = NewSession {
        key: SessionKey::of("secret"),
        user: user.id,
        way: Way::Fake,
        created: now,
        expires: now + time::Duration::hours(1),
        idle: time::Duration::hours(1),
        user_agent: None,
        address: None,
    };
    let actor = Actor { user: Some(user.id), key: None, name: user.email };
    let by = Provenance { actor, origin: Origin::default(), at: now };
    let sql = database.sql().await;
    let shut = format!(
        "BEGIN; SELECT FROM users WHERE user_id = {0} FOR UPDATE; DELETE FROM sessions WHERE user_id = {0}; \
         UPDATE users SET is_active = false WHERE user_id = {0}",
        user.id
    );
    sql.batch_execute(&shut).await.unwrap();
    let (began, ()) = tokio::join!(store.begin_session(&new, None, &by), sql.commit_once_waited_for());
    assert!(!began.unwrap(), "it was looked up while it was open, and is shut by now");
    assert!(!sql.any("SELECT FROM sessions").await);
}
