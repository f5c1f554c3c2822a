#![cfg(test)]
//! Programs that must not compile, each with what the compiler says of it.

#[test]
fn the_compiler_refuses_routes_around_the_table() {
    trybuild::TestCases::new().compile_fail("tests/it/refused/*.rs");
}
