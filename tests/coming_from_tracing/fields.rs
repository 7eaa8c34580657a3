//! tracing-attributes' `fields.rs`: fields of the span. Ours are on its end, too.

use async_log::instrument;

use crate::capture::{empty, lines};

/// Alike.
#[test]
fn fields() {
    #[instrument(fields(city = "Oslo", capital = true, districts = 15))]
    fn visit() {}

    let expected = empty("#visit city=\"Oslo\" capital=true districts=15");
    assert_eq!(lines(visit), expected);
}

/// Alike.
#[test]
fn expr_field() {
    #[instrument(names, fields(length = city.len()))]
    fn visit(city: &str) -> &str {
        city
    }

    let expected = ["+ #visit city=\"Oslo\" length=4", "- #visit length=4"];
    assert_eq!(lines(|| visit("Oslo")), expected);
}

/// Alike.
#[test]
fn two_expr_fields() {
    #[instrument(names, fields(city.length = city.len(), city.is_ascii = city.is_ascii()))]
    fn visit(city: &str) -> &str {
        city
    }

    assert_eq!(
        lines(|| visit("Oslo")),
        [
            "+ #visit city=\"Oslo\" city.length=4 city.is_ascii=true",
            "- #visit city.length=4 city.is_ascii=true",
        ]
    );
}

/// Alike, written `city:%` instead of `%city`.
#[test]
fn clashy_expr_field() {
    #[instrument(names, fields(city:%, city.length = city.len()))]
    fn visit(city: &str) -> &str {
        city
    }

    let expected = empty("#visit city=\"Oslo\" city.length=4");
    assert_eq!(lines(|| visit("Oslo")), expected);

    #[instrument(names, fields(city = "a city"))]
    fn hide(city: &str) -> &str {
        city
    }

    assert_eq!(lines(|| hide("Oslo")), empty("#hide city=\"a city\""));
}

/// Alike.
#[test]
fn self_expr_field() {
    struct City {
        name: &'static str,
    }

    impl City {
        #[instrument(skip(self), fields(name = self.name))]
        fn visit(&self) {}
    }

    let city = City { name: "Oslo" };
    assert_eq!(lines(|| city.visit()), empty("#visit name=\"Oslo\""));
}

/// Alike.
#[test]
fn parameters_with_fields() {
    #[instrument(names, fields(city = "Oslo"))]
    fn visit(days: u32) -> u32 {
        days
    }

    let expected = ["+ #visit days=3 city=\"Oslo\"", "- #visit city=\"Oslo\""];
    assert_eq!(lines(|| visit(3)), expected);
}

/// Different: a field needs a value. A key alone is the variable of that name, here an argument.
#[test]
fn empty_field() {
    #[instrument(fields(city = "Oslo", days))]
    fn visit(days: u32) -> u32 {
        days
    }

    assert_eq!(lines(|| visit(3)), empty("#visit city=\"Oslo\" days=3"));
}

/// Alike.
#[test]
fn string_field() {
    #[instrument(names, fields(city = &city))]
    fn visit(city: String) -> usize {
        city.len()
    }

    let expected = empty("#visit city=\"Oslo\"");
    assert_eq!(lines(|| visit("Oslo".to_owned())), expected);
}

/// Alike.
#[test]
fn keyword_ident_in_field_name() {
    #[instrument(skip(city), fields(trip.type.in.for = city))]
    fn visit(city: &str) -> &str {
        city
    }

    let expected = empty("#visit trip.type.in.for=\"Oslo\"");
    assert_eq!(lines(|| visit("Oslo")), expected);
}

/// Different: a key is written in its place, and `fields({ KEY } = "Oslo")` is an error.
#[test]
fn expr_const_field_name() {
    #[instrument(fields(trip.city = "Oslo"))]
    fn visit() {}

    assert_eq!(lines(visit), empty("#visit trip.city=\"Oslo\""));
}

/// Different: a key is written in its place, and `fields({ key() } = "Oslo")` is an error.
#[test]
fn expr_const_fn_field_name() {
    #[instrument(fields("trip.city" = "Oslo"))]
    fn visit() {}

    assert_eq!(lines(visit), empty("#visit trip.city=\"Oslo\""));
}

/// Different: a key is written in its place, and `fields({ City::KEY } = "Oslo")` is an error.
#[test]
fn struct_const_field_name() {
    struct City;

    impl City {
        #[instrument(fields("trip.city" = "Oslo"))]
        fn visit(&self) {}
    }

    assert_eq!(lines(|| City.visit()), empty("#visit trip.city=\"Oslo\""));
}

/// Alike, written `"city"` instead of `{"city"}`.
#[test]
fn string_field_name() {
    #[instrument(fields("city" = "Oslo"))]
    fn visit() {}

    assert_eq!(lines(visit), empty("#visit city=\"Oslo\""));
}

/// Different: a field of an argument's name always replaces it. tracing has both where the key is a constant.
#[test]
fn clashy_const_field_name() {
    #[instrument(names, fields("city" = "a city"))]
    fn visit(city: &str) -> &str {
        city
    }

    assert_eq!(lines(|| visit("Oslo")), empty("#visit city=\"a city\""));
}
