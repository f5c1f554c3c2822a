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
mod crawling;
mod crowd;
mod domains;
mod door;
mod embedding_services;
mod examples;
mod failing;
mod files;
mod folders;
mod guesses;
mod knowledge;
mod leaving;
mod openapi;
mod repositories;
mod resuming;
mod roles;
mod scene;
mod sessions;
mod sign_in;
mod sign_in_forged;
mod silos;
mod tenancy;
