#[path = "measure.rs"]
mod measure;

fn main() {
    measure::all(hot_paths::Form::Filtered);
}
