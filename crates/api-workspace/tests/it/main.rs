#![cfg(test)]
//! The workspace API as its clients see it: over HTTP, against a real database and a model that follows a script.

mod admin;
mod ai_services;
mod api_keys;
mod at_once;
mod audit;
mod bad_input;
mod chat;
mod collaboration;
mod contract;
mod cookies;
mod cross_site;
mod crowd;
mod door;
mod examples;
mod failing;
mod guesses;
mod histories;
mod leaving;
mod losing;
mod open_routes;
mod openapi;
mod protected;
mod references;
mod resuming;
mod roles;
mod scene;
mod session_ends;
mod sessions;
mod sign_in;
mod sign_in_forged;
mod tenancy;
mod verbs;
