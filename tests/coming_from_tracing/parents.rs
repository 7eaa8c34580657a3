//! tracing-attributes' `parents.rs`.

use async_log::{instrument, span, Context, Span};

use crate::capture::lines;

/// Alike.
#[test]
fn default_parent_test() {
    #[instrument]
    fn answer() {}

    let lines = lines(|| {
        let request = span!("request");
        answer();
        request.run(answer);
    });
    assert_eq!(
        lines,
        [
            "+ request",
            "+ #answer",
            "- #answer",
            "  + #answer",
            "  - #answer",
            "- request",
        ]
    );
}

/// Alike.
#[test]
fn explicit_parent_test() {
    #[instrument(parent = connection, skip(connection))]
    fn answer_in(connection: &Span) {
        let _ = connection;
    }

    // There are no ids to pass around; a context stands for a span.
    #[instrument(parent = parent, skip(parent))]
    fn answer_in_context(parent: Option<Context>) {
        let _ = parent;
    }

    let lines = lines(|| {
        let request = span!("request");
        let connection = span!("connection");
        request.run(|| {
            answer_in(&connection);
            answer_in_context(Some(connection.run(Context::current)));
            answer_in_context(None);
        });
    });
    assert_eq!(
        lines,
        [
            "+ request",
            "+ connection",
            "  + #answer_in",
            "  - #answer_in",
            "  + #answer_in_context",
            "  - #answer_in_context",
            "+ #answer_in_context",
            "- #answer_in_context",
            "- connection",
            "- request",
        ]
    );
}
