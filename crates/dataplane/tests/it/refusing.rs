use std::fs;

use omni_dataplane::{Error, Options};
use omni_supervise::Supervisor;

use crate::setting::{Fixed, data_dir, furnished_places, plane_program, start};

#[tokio::test]
async fn a_second_owner_is_told_who_the_first_is() {
    let places = furnished_places().await;
    let (_home, data) = data_dir();
    let first = start(Options::new(&data, places.clone()).without_nats()).await.unwrap();
    let refusal = start(Options::new(&data, places).without_nats()).await.unwrap_err();
    let sentence = format!("{} is in use by process {}", data.display(), std::process::id());
    assert_eq!((refusal.code(), refusal.to_string()), ("data_dir_in_use", sentence));
    first.stop().await.unwrap();
}

#[tokio::test]
async fn data_of_another_major_version_is_left_alone() {
    let places = furnished_places().await;
    let (_home, data) = data_dir();
    fs::create_dir_all(data.join("pg")).unwrap();
    fs::write(data.join("pg/PG_VERSION"), "9\n").unwrap();
    let refusal = start(Options::new(&data, places).without_nats()).await.unwrap_err();
    assert_eq!(refusal.code(), "postgres_version_mismatch");
    assert!(refusal.to_string().contains("was made by PostgreSQL 9, and only 18"), "{refusal}");
    assert_eq!(fs::read_dir(data.join("pg")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_directory_that_holds_something_else_is_left_alone() {
    let places = furnished_places().await;
    let (_home, data) = data_dir();
    fs::create_dir_all(data.join("pg")).unwrap();
    fs::write(data.join("pg/holiday.jpg"), "beach").unwrap();
    let refusal = start(Options::new(&data, places).without_nats()).await.unwrap_err();
    assert_eq!(refusal.code(), "not_a_cluster");
    assert_eq!(fs::read_to_string(data.join("pg/holiday.jpg")).unwrap(), "beach");
}

/// An initialisation that was interrupted has its own directory, and begins anew.
#[tokio::test]
async fn a_half_made_cluster_is_made_again() {
    let places = furnished_places().await;
    let (_home, data) = data_dir();
    fs::create_dir_all(data.join("pg.new/base")).unwrap();
    fs::write(data.join("pg.new/PG_VERSION"), "18\n").unwrap();
    start(Options::new(&data, places).without_nats()).await.unwrap().stop().await.unwrap();
    assert!(!data.join("pg.new").exists());
    assert!(data.join("pg/global/pg_control").exists());
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why_and_takes_the_other_with_it() {
    let places = furnished_places().await;
    let (_home, data) = data_dir();
    start(Options::new(&data, places.clone())).await.unwrap().stop().await.unwrap();
    fs::remove_file(data.join("pg/global/pg_control")).unwrap();

    let refusal = start(Options::new(&data, places)).await.unwrap_err();
    let Error::Ended { last_words, log, .. } = &refusal else { panic!("{refusal}") };
    assert!(last_words.contains("could not find the database system"), "{last_words}");
    for line in last_words.split(" / ") {
        assert!(fs::read_to_string(log).unwrap().contains(line), "{line}");
    }
    assert_eq!(
        fs::read_dir(data.join("nats"))
            .unwrap()
            .flatten()
            .filter(|entry| { entry.path().extension().is_some_and(|extension| extension == "ports") })
            .count(),
        0,
        "NATS has been stopped"
    );
}

#[tokio::test]
async fn without_any_programs_one_sentence_says_what_to_install() {
    let (home, data) = data_dir();
    let read = |name: &str| (name == "OMNI_CACHE_DIR").then(|| home.path().join("empty").into_os_string());
    let places = omni_dataplane::Places::from_env(read, &data);
    let supervisor = Supervisor::start(plane_program()).unwrap();
    let options = Options::new(&data, places).without_postgres();
    match omni_dataplane::DataPlane::start(options, &supervisor, &Fixed).await {
        Err(refusal) => {
            assert_eq!(refusal.code(), "data_plane_not_installed");
            assert!(
                refusal.to_string().starts_with("no nats-server on this machine: run `cargo xtask up`"),
                "{refusal}"
            );
        }
        // The machine has a nats-server of its own, which then has to do.
        Ok(plane) => plane.stop().await.unwrap(),
    }
}
