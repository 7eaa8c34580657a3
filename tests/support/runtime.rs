//! The executors that run the programs.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Weak};
use std::thread;

use futures::executor::{LocalPool, LocalSpawner};
use futures::future::{abortable, AbortHandle, BoxFuture, RemoteHandle};
use futures::task::LocalSpawnExt;
use futures::FutureExt;

use crate::truth::{Ledger, Machine, Place};

/// A panic of a program itself, which no hook says.
#[derive(Debug)]
pub struct Intended;

pub fn panic_on_purpose() -> ! {
    panic::resume_unwind(Box::new(Intended))
}

/// Swallows a program's own panic; any other is a failure of the test.
pub fn forgive(panic: Box<dyn Any + Send>) {
    if !panic.is::<Intended>() {
        panic::resume_unwind(panic);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Tokio on several threads.
    Threads,
    /// Tokio on one.
    OneThread,
    /// `smol::Executor` on several.
    Smol,
    /// `futures::executor::LocalPool`.
    Local,
}

impl Runtime {
    pub const ALL: [Runtime; 4] = [
        Runtime::Threads,
        Runtime::OneThread,
        Runtime::Smol,
        Runtime::Local,
    ];

    /// Runs `main` to its end, and drops all unfinished futures then.
    pub fn run(self, ledger: &Arc<Ledger>, main: impl FnOnce(Executor) -> BoxFuture<'static, ()>) {
        let machine = Machine::at(ledger, Place::default());
        let run = || match self {
            Runtime::Threads => {
                let mut builder = tokio::runtime::Builder::new_multi_thread();
                run_tokio(builder.worker_threads(3), machine, main);
            }
            Runtime::OneThread => {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                run_tokio(&mut builder, machine, main);
            }
            Runtime::Smol => run_smol(machine, main),
            Runtime::Local => run_local(machine, main),
        };
        if let Err(panic) = panic::catch_unwind(AssertUnwindSafe(run)) {
            forgive(panic);
        }
    }
}

/// Runs `main` in a tokio runtime, whose threads are at the place of `machine`.
pub fn run_tokio(
    builder: &mut tokio::runtime::Builder,
    machine: Arc<Machine>,
    main: impl FnOnce(Executor) -> BoxFuture<'static, ()>,
) {
    let runtime = builder.enable_time().build().expect("a runtime");
    let kind = Kind::Tokio(runtime.handle().clone());
    runtime.block_on(main(Executor { kind, machine }));
}

fn run_smol(machine: Arc<Machine>, main: impl FnOnce(Executor) -> BoxFuture<'static, ()>) {
    let executor = Arc::new(smol::Executor::new());
    let (stop, stopped) = smol::channel::bounded::<()>(1);
    thread::scope(|scope| {
        // Dropped by a panic of `main` too, so that the threads end.
        let _stop = stop;
        for _ in 0..2 {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        let kind = Kind::Smol(Arc::downgrade(&executor));
        smol::block_on(main(Executor { kind, machine }));
    });
}

thread_local! {
    /// It cannot be sent along with a future.
    static LOCAL: RefCell<Option<LocalSpawner>> = const { RefCell::new(None) };
}

fn run_local(machine: Arc<Machine>, main: impl FnOnce(Executor) -> BoxFuture<'static, ()>) {
    let mut pool = LocalPool::new();
    LOCAL.with(|local| local.replace(Some(pool.spawner())));
    let kind = Kind::Local;
    pool.run_until(main(Executor { kind, machine }));
    LOCAL.with(|local| local.replace(None));
}

/// What spawns tasks.
#[derive(Clone, Debug)]
pub struct Executor {
    kind: Kind,
    /// Where it polls them.
    pub machine: Arc<Machine>,
}

#[derive(Clone, Debug)]
enum Kind {
    Tokio(tokio::runtime::Handle),
    /// Not its owner: its tasks hold this.
    Smol(Weak<smol::Executor<'static>>),
    Local,
}

impl Executor {
    /// The same, where it polls tasks at another place than its main future.
    pub fn polling_at(self, machine: Arc<Machine>) -> Self {
        Executor { machine, ..self }
    }

    pub fn is_tokio(&self) -> bool {
        matches!(self.kind, Kind::Tokio(_))
    }

    pub fn spawn(&self, future: BoxFuture<'static, ()>) -> Task {
        // Tokio catches panics itself.
        let caught = |future: BoxFuture<'static, ()>| {
            AssertUnwindSafe(future)
                .catch_unwind()
                .map(|caught| caught.unwrap_or_else(forgive))
        };
        match &self.kind {
            Kind::Tokio(handle) => Task::Tokio(handle.spawn(future)),
            Kind::Smol(executor) => {
                let executor = executor.upgrade().expect("it runs this");
                Task::Smol(executor.spawn(caught(future)))
            }
            Kind::Local => {
                let (future, abort) = abortable(caught(future));
                let spawner = LOCAL
                    .with(|local| local.borrow().clone())
                    .expect("in a local pool");
                let spawned = spawner.spawn_local_with_handle(future.map(drop));
                Task::Local(abort, spawned.expect("a running pool"))
            }
        }
    }
}

#[derive(Debug)]
pub enum Task {
    Tokio(tokio::task::JoinHandle<()>),
    Smol(smol::Task<()>),
    Local(AbortHandle, RemoteHandle<()>),
}

impl Task {
    pub async fn join(self) {
        match self {
            Task::Tokio(task) => forgive_join(task.await),
            Task::Smol(task) => task.await,
            Task::Local(_, task) => task.await,
        }
    }

    pub async fn abort(self) {
        match self {
            Task::Tokio(task) => {
                task.abort();
                forgive_join(task.await);
            }
            Task::Smol(task) => drop(task.cancel().await),
            Task::Local(abort, task) => {
                abort.abort();
                task.await;
            }
        }
    }

    pub fn detach(self) {
        match self {
            Task::Tokio(task) => drop(task),
            Task::Smol(task) => task.detach(),
            Task::Local(_, task) => task.forget(),
        }
    }
}

fn forgive_join(joined: Result<(), tokio::task::JoinError>) {
    if let Err(error) = joined {
        if error.is_panic() {
            forgive(error.into_panic());
        }
    }
}
