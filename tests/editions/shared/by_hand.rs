//! Pairs that are written out twice, and that no macro has touched. Nothing is allowed here.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use futures::executor::block_on;

fn unsized_plain() -> Box<dyn Debug> {
    {
        Box::new(1_u8)
    }
}

fn unsized_spanned() -> Box<dyn Debug> {
    span!("s", { Box::new(1_u8) })
}

fn lock_plain(lock: &Mutex<Vec<u8>>) -> Option<u8> {
    {
        lock.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

fn lock_spanned(lock: &Mutex<Vec<u8>>) -> Option<u8> {
    span!("s", {
        lock.lock().unwrap_or_else(PoisonError::into_inner).pop()
    })
}

fn parse_plain(text: &str) -> Result<u8, Box<dyn std::error::Error>> {
    let number: u8 = {
        let trimmed = text.trim();
        trimmed.parse()?
    };
    {
        if number > 200 {
            return Err("too much".into());
        }
    }
    Ok(number + 1)
}

fn parse_spanned(text: &str) -> Result<u8, Box<dyn std::error::Error>> {
    let number: u8 = span!("s", {
        let trimmed = text.trim();
        trimmed.parse()?
    });
    span!("t", {
        if number > 200 {
            return Err("too much".into());
        }
    });
    Ok(number + 1)
}

fn mutate_plain(vec: &mut Vec<u8>) -> &mut u8 {
    {
        vec.push(1);
    }
    {
        vec.push(2);
        &mut vec[0]
    }
}

fn mutate_spanned(vec: &mut Vec<u8>) -> &mut u8 {
    span!("s", {
        vec.push(1);
    });
    span!("t", {
        vec.push(2);
        &mut vec[0]
    })
}

fn first_even_plain(rows: &[Vec<u8>]) -> Option<u8> {
    'rows: for row in rows {
        {
            for &number in row {
                if number == 0 {
                    continue 'rows;
                }
                if number % 2 == 0 {
                    return Some(number);
                }
            }
        }
    }
    None
}

fn first_even_spanned(rows: &[Vec<u8>]) -> Option<u8> {
    'rows: for row in rows {
        span!("row", {
            for &number in row {
                if number == 0 {
                    continue 'rows;
                }
                if number % 2 == 0 {
                    return Some(number);
                }
            }
        });
    }
    None
}

async fn later<T>(value: T) -> T {
    tokio::task::yield_now().await;
    value
}

async fn awaits_plain(text: &str) -> Result<u8, std::num::ParseIntError> {
    {
        let one = later(text).await.parse::<u8>()?;
        let (two, three) = tokio::join!(later(2), later(3));
        let four = tokio::select! {
            four = later(4) => four,
            never = std::future::pending() => never,
        };
        if later(one > 9).await {
            return Ok(0);
        }
        Ok(later(one + two + three + four).await)
    }
}

async fn awaits_spanned(text: &str) -> Result<u8, std::num::ParseIntError> {
    span!("s", {
        let one = later(text).await.parse::<u8>()?;
        let (two, three) = tokio::join!(later(2), later(3));
        let four = tokio::select! {
            four = later(4) => four,
            never = std::future::pending() => never,
        };
        if later(one > 9).await {
            return Ok(0);
        }
        Ok(later(one + two + three + four).await)
    })
}

async fn loops_plain() -> Vec<u8> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let mut out = Vec::new();
    {
        for number in 0..3 {
            tokio::select! {
                sent = sender.send(number) => assert!(sent.is_ok()),
                () = std::future::pending() => {}
            }
            tokio::select! {
                Some(number) = receiver.recv() => {
                    if number == 1 {
                        continue;
                    }
                    out.push(number);
                }
                else => break,
            }
        }
    }
    out
}

async fn loops_spanned() -> Vec<u8> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let mut out = Vec::new();
    span!("s", {
        for number in 0..3 {
            tokio::select! {
                sent = sender.send(number) => assert!(sent.is_ok()),
                () = std::future::pending() => {}
            }
            tokio::select! {
                Some(number) = receiver.recv() => {
                    if number == 1 {
                        continue;
                    }
                    out.push(number);
                }
                else => break,
            }
        }
    });
    out
}

fn show<T: Debug>(value: T) -> String {
    let shown = format!("{:?}", &value);
    drop(value);
    shown
}

#[test]
fn blocks() {
    assert_eq!(show(unsized_plain()), show(unsized_spanned()));
    let lock = Mutex::new(vec![1, 1]);
    assert_eq!(lock_plain(&lock), lock_spanned(&lock));
    for text in &[" 1 ", "x", "255", "201"] {
        let plain = parse_plain(text).map_err(|error| error.to_string());
        assert_eq!(
            plain,
            parse_spanned(text).map_err(|error| error.to_string())
        );
    }
    let (mut one, mut two) = (Vec::new(), Vec::new());
    *mutate_plain(&mut one) += 5;
    *mutate_spanned(&mut two) += 5;
    assert_eq!(one, two);
    let rows = [vec![1, 0, 2], vec![3, 4]];
    assert_eq!(first_even_plain(&rows), first_even_spanned(&rows));
}

#[test]
fn awaits() {
    for text in &["1", "x", "10"] {
        assert_eq!(block_on(awaits_plain(text)), block_on(awaits_spanned(text)));
    }
    assert_eq!(block_on(loops_plain()), block_on(loops_spanned()));
}
