//! A process's own stack: direct-style code that stands still in the midst of a call, on the one thread of its world.

use generator::{Generator, Gn};

/// Room for debug builds; memory is taken where it is touched.
const STACK_BYTES: usize = 1 << 20;

/// A function that runs until it [`switch`]es, and goes on from there.
pub(super) struct Stack<'a> {
    run: Generator<'a, (), ()>,
    begun: bool,
}

impl<'a> Stack<'a> {
    pub(super) fn new(run: impl FnOnce() + Send + 'a) -> Self {
        Stack { run: Gn::<()>::new_opt(STACK_BYTES / size_of::<usize>(), run), begun: false }
    }

    /// Runs until it switches back or ends.
    pub(super) fn go_on(&mut self) {
        self.begun = true;
        self.run.resume();
    }

    /// Runs what has begun to its end, which is near. What has not begun never does.
    pub(super) fn finish(mut self) {
        while self.begun && !self.run.is_done() {
            self.run.resume();
        }
    }
}

/// Back to whoever let this stack go on.
#[expect(
    deprecated,
    reason = "its successor needs a handle from the bottom of the stack, which a call of `Fs` has not"
)]
pub(super) fn switch() {
    generator::yield_with(());
}
