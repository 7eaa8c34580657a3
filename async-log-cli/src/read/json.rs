use super::batch::Batch;
use super::dialect::Dialect;

pub(crate) fn is_complete(_line: &[u8]) -> bool {
    false
}

pub(crate) fn parse(_dialect: &Dialect, _batch: &mut Batch) {}
