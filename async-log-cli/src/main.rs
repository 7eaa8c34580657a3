use async_log_cli::{read::*, track::*, write::stats::Stats};
use std::io::Read;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let mut file = std::fs::File::open(path).unwrap();
    let mut tracker = Tracker::new(Stats::new(false), Selection::default());
    let mut batch = Batch::default();
    let mut carry = 0;
    let mut first = true;
    loop {
        batch.bytes.resize(256 << 10, 0);
        let mut len = carry;
        let mut eof = false;
        while len < batch.bytes.len() {
            let n = file.read(&mut batch.bytes[len..]).unwrap();
            if n == 0 {
                eof = true;
                break;
            }
            len += n;
        }
        let cut = memchr::memrchr(b'\n', &batch.bytes[..len]).map_or(len, |n| n + 1);
        batch.lines_len = cut;
        if first {
            batch.dialect = Dialect::detect(&batch.bytes[..cut], None).unwrap().into();
            first = false;
        }
        batch.parse();
        tracker.take(&batch).unwrap();
        batch.bytes.copy_within(cut..len, 0);
        carry = len - cut;
        if eof {
            break;
        }
    }
    tracker.finish().unwrap();
    eprintln!("{:?} {:?}", tracker.counts(), tracker.problems());
}
