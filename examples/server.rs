//! A TCP server and its clients on loopback: what a log of many tasks at once looks like.
//!
//! ```sh
//! cargo run --example server -- server.log
//! ```
//!
//! It writes its log to that file, or to stderr if none is named.
//!
//! What to look for: every connection is a task (`server::connection`) whose start says who
//! spawned it. Follow one by its `task_id`, through all threads:
//!
//! - `page` loads two things at once with `join!`: two spans overlap inside one.
//! - `fastest` asks two places with `select!`: the slower `load` ends as `cancelled`.
//! - `slow` runs into the time limit: its `load` is `cancelled`, the request goes on and says so.
//! - `broken` panics: the panic is logged where it happens, its spans and its task end as
//!   `panicked`, and the server goes on.
//! - the client that never asks keeps its connection open until the server ends: it is given half a
//!   second, then its connection ends as `cancelled`.

use std::env;
use std::fs::File;
use std::io;
use std::panic;
use std::time::Duration;

use async_log::{instrument, span, TaskExt};
use env_logger::{Builder, Env, Target};
use log::{error, info, warn, LevelFilter};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};

/// How long a request may take.
const LIMIT: Duration = Duration::from_millis(500);

/// How long open connections are waited for at the end.
const GRACE: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut logger = Builder::from_env(Env::default().default_filter_or("trace"));
    if let Some(path) = env::args_os().nth(1) {
        logger.target(Target::Pipe(Box::new(File::create(path)?)));
    }
    async_log::Logger::wrap(logger.build(), async_log::task_id)
        .start(LevelFilter::Trace)
        .unwrap();
    panic::set_hook(Box::new(|panic| error!("{panic}")));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let mut clients = JoinSet::new();
    for request in ["page", "fastest", "slow", "broken", "tea"] {
        let stream = TcpStream::connect(address).await?;
        clients.spawn(client(stream, request).in_task());
    }
    let idle = TcpStream::connect(address).await?;

    let (shutdown, stopped) = oneshot::channel();
    let server = tokio::spawn(serve(listener, stopped).in_task());
    while let Some(answered) = clients.join_next().await {
        answered??;
    }

    info!("all clients are done");
    drop(shutdown);
    server.await??;
    drop(idle);
    Ok(())
}

async fn client(stream: TcpStream, request: &str) -> io::Result<()> {
    let mut stream = BufStream::new(stream);
    stream.write_all(format!("{request}\n").as_bytes()).await?;
    stream.flush().await?;

    let mut answer = String::new();
    match stream.read_line(&mut answer).await? {
        0 => warn!(request; "the server hung up"),
        _ => info!(request, answer = answer.trim_end(); "answered"),
    }
    Ok(())
}

/// Accepts connections until `stopped`, then waits for those that are open.
async fn serve(listener: TcpListener, mut stopped: oneshot::Receiver<()>) -> io::Result<()> {
    let mut connections = JoinSet::new();
    span!("accept", {
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (stream, _) = accepted?;
                    connections.spawn(connection(stream).in_task());
                }
                Some(ended) = connections.join_next() => report(ended),
                _ = &mut stopped => break,
            }
        }
    });

    span!(open = connections.len(); "shut down", {
        let all_ended = async {
            while let Some(ended) = connections.join_next().await {
                report(ended);
            }
        };
        if timeout(GRACE, all_ended).await.is_err() {
            warn!("cutting off {} of them", connections.len());
            connections.shutdown().await;
        }
    });
    Ok(())
}

fn report(ended: Result<io::Result<()>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!("connection lost: {error}"),
        Err(_) => error!("a connection panicked"),
    }
}

async fn connection(stream: TcpStream) -> io::Result<()> {
    let mut stream = BufStream::new(stream);
    let mut request = String::new();
    while stream.read_line(&mut request).await? > 0 {
        span!(request = request.trim_end(); "request", {
            let answer = match timeout(LIMIT, answer(request.trim_end())).await {
                Ok(answer) => answer,
                Err(_) => {
                    warn!("this takes too long");
                    "sorry".to_owned()
                }
            };
            stream.write_all(format!("{answer}\n").as_bytes()).await?;
            stream.flush().await?;
        });
        request.clear();
    }
    Ok(())
}

async fn answer(request: &str) -> String {
    match request {
        "page" => page().await,
        "fastest" => fastest().await,
        "slow" => load("archive", 60_000).await,
        "broken" => {
            let menu: [&str; 0] = [];
            menu.first().expect("the menu has an entry").to_string()
        }
        other => {
            warn!("unknown request");
            format!("what is {other}?")
        }
    }
}

#[instrument]
async fn page() -> String {
    let (user, cart) = tokio::join!(load("user", 20), load("cart", 10));
    format!("{user} and {cart}")
}

#[instrument]
async fn fastest() -> String {
    tokio::select! {
        near = load("near", 10) => near,
        far = load("far", 60_000) => far,
    }
}

#[instrument]
async fn load(what: &str, millis: u64) -> String {
    sleep(Duration::from_millis(millis)).await;
    info!("loaded");
    format!("{what} loaded")
}
