//! `flame`: where the time goes.
