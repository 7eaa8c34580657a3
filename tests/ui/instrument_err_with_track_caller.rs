use async_log::instrument;

#[track_caller]
#[instrument(err)]
fn parse(text: &str) -> Result<u8, std::num::ParseIntError> {
    let number = text.parse()?;
    Ok(number)
}

fn main() {
    let _ = parse("1");
}
