use async_log::instrument;

#[instrument(fields(%id))]
fn shown(id: u32) -> u32 {
    id
}

#[instrument(fields(user = ?id.to_string(), other = 1))]
fn debugged(id: u32) -> u32 {
    id
}

fn main() {
    shown(debugged(1));
}
