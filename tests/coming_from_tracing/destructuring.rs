//! tracing-attributes' `destructuring.rs`: arguments that are patterns.

use async_log::instrument;

use crate::capture::lines;

fn area_of(arguments: &str) -> [String; 2] {
    [format!("+ #area {arguments}"), "- #area".to_owned()]
}

/// Alike.
#[test]
fn destructure_tuples() {
    #[instrument(names)]
    fn area((width, height): (u32, u32)) -> u32 {
        width * height
    }

    assert_eq!(lines(|| area((3, 4))), area_of("width=3 height=4"));
}

type Point = (i32, i32);

/// Alike.
#[test]
fn destructure_nested_tuples() {
    #[instrument(names)]
    fn area(((left, top), (right, bottom)): (Point, Point)) -> i32 {
        (right - left) * (bottom - top)
    }

    let expected = area_of("left=1 top=2 right=3 bottom=4");
    assert_eq!(lines(|| area(((1, 2), (3, 4)))), expected);
}

/// Alike.
#[test]
fn destructure_refs() {
    #[instrument(names)]
    fn area(&side: &u32) -> u32 {
        side * side
    }

    assert_eq!(lines(|| area(&3)), area_of("side=3"));
}

/// Alike.
#[test]
fn destructure_tuple_structs() {
    struct Size(u32, u32);

    #[instrument(names)]
    fn area(Size(width, height): Size) -> u32 {
        width * height
    }

    assert_eq!(lines(|| area(Size(3, 4))), area_of("width=3 height=4"));
}

/// Alike.
#[test]
fn destructure_structs() {
    struct Size {
        width: u32,
        height: u32,
    }

    #[instrument(names)]
    fn area(
        Size {
            width: w,
            height: h,
        }: Size,
    ) -> u32 {
        w * h
    }

    let size = Size {
        width: 3,
        height: 4,
    };
    assert_eq!(lines(|| area(size)), area_of("w=3 h=4"));
}

/// Alike.
#[test]
fn destructure_everything() {
    struct Corner(Point);
    struct Opaque;
    struct Rectangle {
        from: Corner,
        to: Point,
        rest: Opaque,
    }

    #[instrument(names)]
    fn area(
        &Rectangle {
            from: Corner((left, top)),
            to: (right, bottom),
            ..
        }: &Rectangle,
    ) -> i32 {
        (right - left) * (bottom - top)
    }

    let rectangle = Rectangle {
        from: Corner((1, 2)),
        to: (3, 4),
        rest: Opaque,
    };
    let expected = area_of("left=1 top=2 right=3 bottom=4");
    assert_eq!(lines(|| area(&rectangle)), expected);
    let Opaque = rectangle.rest;
}
