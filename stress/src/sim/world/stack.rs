//! A process's own stack: direct-style code that stands still in the midst of a call, on the one thread of its world.
//!
//! A body that borrows runs on a stack that is mapped for it ([`Mapped`]): its lifetime says when the stack is gone. A
//! body that owns all it uses runs on one of the thread's stacks, which are used again ([`Pooled`]): mapping a stack and
//! touching its pages anew takes longer than a short run.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

use generator::{Generator, Gn};

/// Room for debug builds; memory is taken where it is touched.
const STACK_BYTES: usize = 1 << 20;

/// A function that runs until it [`switch`]es, and goes on from there.
pub(super) trait Stack {
    /// Runs until it switches back or ends.
    fn go_on(&mut self);
    /// Runs what has begun to its end, which is near. What has not begun never does.
    fn finish(self);
}

/// A stack for one function.
pub(super) struct Mapped<'a> {
    run: Generator<'a, (), ()>,
    begun: bool,
}

impl<'a> Mapped<'a> {
    pub(super) fn new(run: impl FnOnce() + Send + 'a) -> Self {
        Mapped { run: stack(run), begun: false }
    }
}

impl Stack for Mapped<'_> {
    fn go_on(&mut self) {
        self.begun = true;
        self.run.resume();
    }

    fn finish(mut self) {
        while self.begun && !self.run.is_done() {
            self.run.resume();
        }
    }
}

/// A stack that goes back to its thread's pool.
pub(super) struct Pooled(Option<Worker>);

type Job = Box<dyn FnOnce() + Send>;

/// What a worker does next.
enum Next {
    Begin(Job),
    GoOn,
    Idle,
    Retire,
}

struct Worker {
    run: Generator<'static, (), ()>,
    next: Arc<Mutex<Next>>,
}

thread_local! {
    static IDLE: RefCell<Vec<Worker>> = const { RefCell::new(Vec::new()) };
}

impl Pooled {
    pub(super) fn new(run: impl FnOnce() + Send + 'static) -> Self {
        let idle = IDLE.with(|idle| idle.borrow_mut().pop());
        let worker = idle.unwrap_or_else(Worker::new);
        worker.set(Next::Begin(Box::new(run)));
        Pooled(Some(worker))
    }
}

impl Stack for Pooled {
    fn go_on(&mut self) {
        if let Some(worker) = &mut self.0 {
            worker.run.resume();
        }
    }

    fn finish(mut self) {
        let Some(mut worker) = self.0.take() else { return };
        if worker.has(|next| matches!(next, Next::Begin(_))) {
            worker.set(Next::Idle);
        }
        while !worker.has(|next| matches!(next, Next::Idle)) {
            worker.run.resume();
        }
        IDLE.with(|idle| idle.borrow_mut().push(worker));
    }
}

impl Worker {
    fn new() -> Self {
        let next = Arc::new(Mutex::new(Next::Idle));
        let asked = Arc::clone(&next);
        let take =
            move |then| std::mem::replace(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner), then);
        let run = stack(move || {
            loop {
                match take(Next::GoOn) {
                    Next::Begin(job) => job(),
                    Next::Retire => return,
                    Next::GoOn | Next::Idle => {}
                }
                take(Next::Idle);
                switch();
            }
        });
        Worker { run, next }
    }

    fn set(&self, next: Next) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = next;
    }

    fn has(&self, is: impl FnOnce(&Next) -> bool) -> bool {
        is(&self.next.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Worker {
    /// An idle worker returns. One that is dropped in the midst of its job, by a panic of the world, is not resumed.
    fn drop(&mut self) {
        if self.has(|next| matches!(next, Next::Idle)) {
            self.set(Next::Retire);
            self.run.resume();
        }
    }
}

fn stack<'a>(run: impl FnOnce() + Send + 'a) -> Generator<'a, (), ()> {
    Gn::<()>::new_opt(STACK_BYTES / size_of::<usize>(), run)
}

/// Back to whoever let this stack go on.
#[expect(
    deprecated,
    reason = "its successor needs a handle from the bottom of the stack, which a call of `Fs` has not"
)]
pub(super) fn switch() {
    generator::yield_with(());
}
