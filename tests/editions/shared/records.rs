//! Every form that `log`'s own macros take, with a block and without, and each with its record.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use log::{Level, LevelFilter, Log, Metadata, Record};

thread_local! {
    /// The start records of this test's spans.
    static STARTS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Collect;

impl Log for Collect {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        struct Pairs(String);
        impl<'kvs> log::kv::VisitSource<'kvs> for Pairs {
            fn visit_pair(
                &mut self,
                key: log::kv::Key<'kvs>,
                value: log::kv::Value<'kvs>,
            ) -> Result<(), log::kv::Error> {
                let is_ours = key.as_str().starts_with("span_")
                    || ["task_id", "thread_id", "process_id"].contains(&key.as_str());
                if !is_ours {
                    let _ = write!(self.0, " {}={}", key.as_str(), value);
                }
                Ok(())
            }
        }
        let mark = record.key_values().get("span_mark".into());
        if mark.map(|mark| mark.to_string()) == Some("start".to_owned()) {
            let mut pairs = Pairs(String::new());
            record.key_values().visit(&mut pairs).unwrap();
            let target = if record.target() == record.module_path().unwrap() {
                ""
            } else {
                record.target()
            };
            let start = format!("{} {}:{}{}", record.level(), target, record.args(), pairs.0);
            STARTS.with(|starts| starts.borrow_mut().push(start));
        }
    }

    fn flush(&self) {}
}

struct Name(&'static str);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.0)
    }
}

/// Each form three times: with a block, with a block and a comma behind it, and without a block.
macro_rules! forms {
    ($([$($form:tt)*] $expected:expr,)*) => {
        $(
            assert_eq!(span!($($form)*, { 1 }), 1);
            assert_eq!(span!($($form)*, { 2 },), 2);
            drop(span!($($form)*));
            drop(span!($($form)*,));
            let starts = STARTS.with(RefCell::take);
            let expected: String = $expected.into();
            assert_eq!(starts, vec![expected; 4], "{}", stringify!($($form)*));
        )*
    };
}

#[test]
#[allow(clippy::too_many_lines)]
fn every_form() {
    log::set_boxed_logger(Box::new(Collect)).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let (user, path) = (7, Name("p"));
    let error = fmt::Error;
    let text = String::from("text");
    let target = "variable";

    forms! {
        ["name"] "TRACE :name",
        [r"raw"] "TRACE :raw",
        [r#"a "raw" one"#] "TRACE :a \"raw\" one",
        ["{{braces}}"] "TRACE :{braces}",
        ["level {}", 1] "TRACE :level 1",
        ["level {0} {0:?}", path] "TRACE :level p Name(p)",
        ["level {level}", level = 1] "TRACE :level 1",
        ["{a}{}{:>width$}", 1, path, a = 2, width = 3] "TRACE :21  p",
        ["{}{}{}{}{}{}{}{}{}{}", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9] "TRACE :0123456789",
        ["{:?}", Some(user)] "TRACE :Some(7)",
        ["{}", ({ user + 1 })] "TRACE :8",
        ["{}", match user { 7 => "seven", _ => "other" }] "TRACE :seven",
        ["{}", if user > 1 { "many" } else { "one" }] "TRACE :many",
        [concat!("con", "cat")] "TRACE :concat",
        [concat!("con", "cat {}"), 1] "TRACE :concat 1",
        [user = 1; "name"] "TRACE :name user=1",
        [user; "name"] "TRACE :name user=7",
        ["quoted key" = 1; "name"] "TRACE :name quoted_key=1",
        [user, path:% = path; "name {}", user] "TRACE :name 7 user=7 path=p",
        [path:?; "name"] "TRACE :name path=Name(p)",
        [path:? = path; "name"] "TRACE :name path=Name(p)",
        [path:debug; "name"] "TRACE :name path=Name(p)",
        [path:debug = path; "name"] "TRACE :name path=Name(p)",
        [path:%; "name"] "TRACE :name path=p",
        [path:display; "name"] "TRACE :name path=p",
        [path:display = path; "name"] "TRACE :name path=p",
        [error:err; "name"] format!("TRACE :name error={}", error),
        ["e":err = error; "name"] format!("TRACE :name e={}", error),
        [user:serde; "name"] "TRACE :name user=7",
        [user:sval = 3; "name"] "TRACE :name user=3",
        [user:value; "name"] "TRACE :name user=7",
        ["u v":? = text; "name"] "TRACE :name u_v=\"text\"",
        [a = 1, b = "two", c:? = [3], d:% = '4'; "name"] "TRACE :name a=1 b=two c=[3] d=4",
        [a = user == 7, b = user >= 8, c = user < 9; "n"] "TRACE :n a=true b=false c=true",
        [a = { user + 1 }, b = -user, c = (1, 2).0; "n"] "TRACE :n a=8 b=-7 c=1",
        [a = { let it = 1; it + 1 }; "n"] "TRACE :n a=2",
        [a:? = Vec::<(u8, u8)>::new(); "n"] "TRACE :n a=[]",
        [a = text.as_str(); "n {}", text] "TRACE :n text a=text",
        [target: "t", "name"] "TRACE t:name",
        [target: &text, "name"] "TRACE text:name",
        [target: concat!("t", "u"), "name"] "TRACE tu:name",
        [level: Level::Debug, "name"] "DEBUG :name",
        [level: log::Level::Info, "name {}", 1] "INFO :name 1",
        [level: if user > 1 { Level::Warn } else { Level::Info }, "n"] "WARN :n",
        [target: "t", level: Level::Debug, "name"] "DEBUG t:name",
        [level: Level::Debug, target: "t", "name"] "DEBUG t:name",
        [target: "t", level: Level::Debug, user, path:? = path; "load {}", 1]
            "DEBUG t:load 1 user=7 path=Name(p)",
        [level: Level::Debug, target: "t", user = 7; "load"] "DEBUG t:load user=7",
        [target: "t", user; "load"] "TRACE t:load user=7",
        [level: Level::Error, "target": % = 1; "load"] "ERROR :load target=1",
        [target = 1; "load"] "TRACE :load target=1",
        [level = 1; "load"] "TRACE :load level=1",
        [target; "load"] "TRACE :load target=variable",
    }
}

/// The forms of a name that a macro hands on.
#[test]
fn through_macros() {
    macro_rules! traced {
        ($name:literal, $body:block) => {
            span!($name, $body)
        };
        ($name:expr => $($body:tt)*) => {
            span!($name, { $($body)* })
        };
        ($level:expr; $target:expr; $($record:tt)*) => {
            span!(level: $level, target: $target, $($record)*)
        };
    }
    assert_eq!(traced!("a", { 1 }), 1);
    assert_eq!(traced!("b" => 2), 2);
    let key = 3;
    assert_eq!(traced!(Level::Info; "t"; key; "c", { key }), 3);
    futures::executor::block_on(async {
        assert_eq!(traced!("a", { async { 1 }.await }), 1);
        assert_eq!(traced!("b" => async { 1 }.await), 1);
        assert_eq!(
            traced!(Level::Info; "t"; key = key; "c", { async { 1 }.await }),
            1
        );
    });
}
