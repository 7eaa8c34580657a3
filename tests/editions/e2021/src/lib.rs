//! What compiles as a plain block compiles as a span's, in edition 2021: see `tests`.
