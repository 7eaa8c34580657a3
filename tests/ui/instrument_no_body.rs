use async_log::instrument;

trait Shape {
    #[instrument]
    fn area(&self) -> u8;
}

struct Point;

impl Shape for Point {
    fn area(&self) -> u8 {
        0
    }
}

fn main() {
    assert_eq!(Point.area(), 0);
}
