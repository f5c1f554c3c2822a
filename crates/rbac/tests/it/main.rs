#![cfg(test)]
//! Programs that must not compile. What the compiler says of each is kept beside it: it is what a person reads who has
//! forgotten a check.

#[test]
fn the_compiler_refuses_what_takes_permission_without_having_it() {
    trybuild::TestCases::new().compile_fail("tests/it/refused/*.rs");
}
