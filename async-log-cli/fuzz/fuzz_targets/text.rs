#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| async_log_cli_fuzz::text(bytes));
