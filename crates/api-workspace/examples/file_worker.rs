//! Reads files for the tests, whose `main` is not ours: the launcher and the worker, and nothing else.

fn main() {
    omni_supervise::launcher::intercept();
    omni_documents::worker::intercept();
}
