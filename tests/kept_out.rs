//! What is kept out of the log by `skip`, `skip_all`, `off` or a field: however the attribute is spelled, whatever
//! pattern the argument has.

use std::fmt::{self, Debug, Display};
use std::future::Future;
use std::pin::Pin;

use async_log::instrument;
use async_log::instrument as traced;
use futures::executor::block_on;

use async_log_tests::lines::call;

fn logged<R>(f: impl FnOnce() -> R) -> (R, Vec<String>) {
    async_log_tests::lines::logged("kept_out", f)
}

const SECRET: &str = "hunter2";

/// The lines of a call, none of which has the secret.
fn kept<R>(f: impl FnOnce() -> R) -> Vec<String> {
    let (_, lines) = logged(f);
    assert!(
        !lines.iter().any(|line| line.contains(SECRET)),
        "{lines:#?}"
    );
    lines
}

mod reexported {
    pub(crate) use async_log::instrument as watch;
}

struct Session;

#[instrument(names)]
impl Session {
    #[cfg_attr(all(), instrument(skip(pw)))]
    fn under_cfg(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[traced(skip(pw))]
    fn imported(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[reexported::watch(skip(pw))]
    fn exported_again(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[cfg_attr(all(), cfg_attr(all(), reexported::watch(skip_all)))]
    fn nested_cfg(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[::async_log::instrument(skip(pw))]
    #[allow(clippy::unused_self)]
    fn absolute(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[traced(off)]
    fn off(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[cfg_attr(all(), traced(off))]
    fn off_under_cfg(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[traced(skip(pw))]
    async fn later(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[traced(skip(pw))]
    fn boxed<'a>(&'a self, user: &'a str, pw: &'a str) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            let _ = (user, pw);
        })
    }
}

#[test]
fn skip_holds_under_every_name_of_the_attribute() {
    let user_alone = |name: &str| call(&format!("#Session::{name}"), ", user=ada");
    let s = Session;
    assert_eq!(kept(|| s.under_cfg("ada", SECRET)), user_alone("under_cfg"));
    assert_eq!(kept(|| s.imported("ada", SECRET)), user_alone("imported"));
    assert_eq!(
        kept(|| s.exported_again("ada", SECRET)),
        user_alone("exported_again")
    );
    assert_eq!(
        kept(|| s.nested_cfg("ada", SECRET)),
        call("#Session::nested_cfg", "")
    );
    assert_eq!(kept(|| s.absolute("ada", SECRET)), user_alone("absolute"));
    assert_eq!(kept(|| s.off("ada", SECRET)), [""; 0]);
    assert_eq!(kept(|| s.off_under_cfg("ada", SECRET)), [""; 0]);
    assert_eq!(
        kept(|| block_on(s.later("ada", SECRET))),
        user_alone("later")
    );
    assert_eq!(
        kept(|| block_on(s.boxed("ada", SECRET))),
        user_alone("boxed")
    );
}

/// The `impl` block's own list, with methods that have a list of theirs.
struct Vault;

#[reexported::watch(names, skip(pw, self))]
impl Vault {
    fn plain(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }

    #[traced(skip(user))]
    fn both(&self, user: &str, pw: &str, n: u8) {
        let _ = (user, pw, n);
    }

    fn without(&self, n: u8) {
        let _ = n;
    }
}

#[async_trait::async_trait]
trait Login {
    async fn login(&self, user: &str, pw: &str);
}

#[instrument(names)]
#[async_trait::async_trait]
impl Login for Session {
    #[cfg_attr(all(), traced(skip(pw)))]
    async fn login(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }
}

#[async_trait::async_trait]
#[instrument(names)]
impl Login for Vault {
    #[cfg_attr(all(), traced(skip(pw)))]
    async fn login(&self, user: &str, pw: &str) {
        let _ = (user, pw);
    }
}

#[test]
fn skip_of_an_impl_holds_with_that_of_a_method() {
    assert_eq!(
        kept(|| Vault.plain("ada", SECRET)),
        call("#Vault::plain", ", user=ada")
    );
    assert_eq!(
        kept(|| Vault.both("ada", SECRET, 1)),
        call("#Vault::both", ", n=1")
    );
    assert_eq!(kept(|| Vault.without(1)), call("#Vault::without", ", n=1"));
    let above = kept(|| block_on(Session.login("ada", SECRET)));
    assert_eq!(above, call("#Session::login", ", user=ada"));
    let below = kept(|| block_on(Vault.login("ada", SECRET)));
    assert_eq!(below, call("#Vault::login", ", user=ada"));
}

#[derive(Debug, Clone)]
struct Credentials {
    user: String,
    password: String,
}

fn credentials() -> Credentials {
    Credentials {
        user: "ada".to_owned(),
        password: SECRET.to_owned(),
    }
}

#[derive(Debug, Clone, Copy)]
struct Path<T>(T);

mod patterns {
    use super::*;

    #[instrument(names, fields(password = "***"))]
    pub(super) fn replaced(user: &str, password: &str) {
        let _ = (user, password);
    }

    #[instrument(fields(password = "***"))]
    pub(super) fn replaced_without_names(user: &str, password: &str) {
        let _ = (user, password);
    }

    #[instrument(fields(password = "***"))]
    pub(super) async fn replaced_later(user: &str, password: &str) {
        let _ = (user, password);
    }

    #[instrument(fields(arg_1 = "***"))]
    pub(super) fn replaced_by_number(user: &str, password: &str) {
        let _ = (user, password);
    }

    #[instrument(fields("password":? = "***"))]
    pub(super) fn replaced_in_a_pattern(Credentials { user, password }: Credentials) {
        let _ = (user, password);
    }

    #[instrument(names, fields("pass word" = "***"))]
    pub(super) fn replaced_after_rewriting(user: &str, pass_word: &str) {
        let _ = (user, pass_word);
    }

    #[instrument(names, skip(password))]
    pub(super) fn binding(Credentials { user, password }: Credentials) {
        let _ = (user, password);
    }

    #[instrument(names, skip(password))]
    pub(super) fn renamed_binding(Credentials { user, password: p }: Credentials) {
        let _ = (user, p);
    }

    #[instrument(skip(password))]
    pub(super) fn whole(Credentials { user, password }: Credentials) {
        let _ = (user, password);
    }

    #[instrument(names, skip(password))]
    pub(super) fn bound_above(all @ Path(ref password): Path<&str>, n: u8) {
        let _ = (all, password, n);
    }

    #[instrument(names, skip(all))]
    pub(super) fn bound_below(all @ Path(ref password): Path<&str>, n: u8) {
        let _ = (all, password, n);
    }

    #[instrument(names, skip(Credentials))]
    pub(super) fn by_the_type(Credentials { user, password }: Credentials) {
        let _ = (user, password);
    }

    #[instrument(names, skip(r#type))]
    pub(super) fn raw(r#match: u8, r#type: &str) {
        let _ = (r#match, r#type);
    }

    #[instrument(names, skip(password))]
    pub(super) async fn later(Credentials { user, password }: Credentials) -> usize {
        user.len() + password.len()
    }

    #[instrument(skip_all, fields(id))]
    pub(super) async fn get(Path(id): Path<u32>) -> u32 {
        id
    }

    #[instrument(skip_all, fields(id, double = id * 2, is_odd = id % 2 == 1 && id > 5))]
    pub(super) fn values(Path(id): Path<u32>) -> u32 {
        id
    }

    #[instrument(fields(sum = a + b))]
    pub(super) fn whole_and_parts((a, b): (u8, u8), &n: &u8) -> u8 {
        a + b + n
    }

    #[instrument(names)]
    pub(super) fn named(Path(id): Path<u32>, (mut a, [b, ..]): (u8, [u8; 2]), _: u8) -> u32 {
        a += b;
        id + u32::from(a)
    }
}

#[test]
fn a_field_replaces_the_argument_of_its_name() {
    use patterns::*;
    let fields = |name: &str, start: &str, fields: &str| {
        [
            format!("{name}{start}, span_mark=start{fields}"),
            format!("{name}, span_mark=end{fields}"),
        ]
    };
    let hidden = ", password=***";
    assert_eq!(
        kept(|| replaced("ada", SECRET)),
        fields("#replaced", ", user=ada", hidden)
    );
    assert_eq!(
        kept(|| replaced_without_names("ada", SECRET)),
        fields("#replaced_without_names", ", arg_0=ada", hidden)
    );
    assert_eq!(
        kept(|| block_on(replaced_later("ada", SECRET))),
        fields("#replaced_later", ", arg_0=ada", hidden)
    );
    assert_eq!(
        kept(|| replaced_by_number("ada", SECRET)),
        fields("#replaced_by_number", ", arg_0=ada", ", arg_1=***")
    );
    assert_eq!(
        kept(|| replaced_in_a_pattern(credentials())),
        fields("#replaced_in_a_pattern", "", ", password=\"\\\"***\\\"\"")
    );
    assert_eq!(
        kept(|| replaced_after_rewriting("ada", SECRET)),
        fields("#replaced_after_rewriting", ", user=ada", ", pass_word=***")
    );
}

#[test]
fn a_binding_that_is_skipped_takes_along_what_it_is_a_part_of() {
    use patterns::*;
    let user = |name: &str| call(name, ", user=ada");
    assert_eq!(kept(|| binding(credentials())), user("#binding"));
    assert_eq!(
        kept(|| renamed_binding(credentials())),
        user("#renamed_binding")
    );
    assert_eq!(kept(|| whole(credentials())), call("#whole", ""));
    assert_eq!(
        kept(|| bound_above(Path(SECRET), 1)),
        call("#bound_above", ", n=1")
    );
    assert_eq!(
        kept(|| bound_below(Path(SECRET), 1)),
        call("#bound_below", ", n=1")
    );
    assert_eq!(
        kept(|| by_the_type(credentials())),
        call("#by_the_type", "")
    );
    assert_eq!(kept(|| raw(1, SECRET)), call("#raw", ", match=1"));
    assert_eq!(kept(|| block_on(later(credentials()))), user("#later"));
}

#[test]
fn bindings_are_arguments_and_fields_can_use_them() {
    use patterns::*;
    assert_eq!(
        logged(|| block_on(get(Path(13)))),
        (
            13,
            vec![
                "#get, span_mark=start, id=13".to_owned(),
                "#get, span_mark=end, id=13".to_owned()
            ]
        )
    );
    assert_eq!(
        logged(|| values(Path(7))).1[0],
        "#values, span_mark=start, id=7, double=14, is_odd=true"
    );
    assert_eq!(
        logged(|| whole_and_parts((1, 2), &3)),
        (
            6,
            vec![
                "#whole_and_parts, arg_0=\"(1, 2)\", arg_1=3, span_mark=start, sum=3".to_owned(),
                "#whole_and_parts, span_mark=end, sum=3".to_owned()
            ]
        )
    );
    assert_eq!(
        logged(|| named(Path(1), (2, [3, 4]), 5)),
        (6, call("#named", ", id=1, a=2, b=3"))
    );
}

/// What `Display` alone has is logged so; 2.0 did that.
struct UserId(u32);

impl Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user-{}", self.0)
    }
}

struct Neither;

#[instrument]
fn shown(id: UserId, by_reference: &UserId, neither: Neither) {
    let _ = (id.0, by_reference.0, neither);
}

#[test]
fn an_argument_without_debug_is_logged_by_display() {
    assert_eq!(
        logged(|| shown(UserId(7), &UserId(8), Neither)).1,
        call(
            "#shown",
            ", arg_0=user-7, arg_1=user-8, arg_2=kept_out::Neither"
        )
    );
}

/// What leaked once.
#[allow(clippy::toplevel_ref_arg)]
mod regressions {
    use super::*;

    pub(super) struct Fields;

    #[instrument(names, fields(password = "***", op = "any"))]
    impl Fields {
        #[instrument(fields(op = "login"))]
        pub(super) fn own_fields(&self, user: &str, password: &str) {
            let _ = (user, password);
        }

        #[instrument(fields())]
        pub(super) async fn no_fields(&self, user: &str, password: &str) {
            let _ = (user, password);
        }
    }

    #[derive(Debug)]
    pub(super) enum Either {
        A { password: &'static str },
        B { secret: &'static str },
    }

    #[instrument(names, skip(secret))]
    pub(super) fn second_case((Either::A { password: p } | Either::B { secret: p }): Either) {
        let _ = p;
    }

    #[instrument(names, skip(secret))]
    pub(super) fn above_cases(
        ref all @ (Either::A { password: ref p } | Either::B { secret: ref p }): Either,
    ) {
        let _ = (all, p);
    }

    #[instrument(fields(secret = "***"))]
    pub(super) fn replaced_in_a_case(
        (Either::A { password: p } | Either::B { secret: p }): Either,
    ) {
        let _ = p;
    }

    macro_rules! creds {
        (ref $p:ident) => {
            Credentials { password: ref $p, .. }
        };
        ($p:ident) => {
            Credentials { password: $p, .. }
        };
    }

    #[instrument(names, skip(p))]
    pub(super) fn above_a_macro(ref all @ creds!(ref p): Credentials) {
        let _ = (all, p);
    }

    #[instrument(fields(p = "***"))]
    pub(super) fn replaced_in_a_macro(creds!(p): Credentials) {
        let _ = p;
    }

    pub(super) struct Items;

    macro_rules! items {
        ($($item:item)*) => {
            #[instrument(names, skip_all)]
            impl Items {
                pub(super) fn before(&self, user: &str) {
                    let _ = user;
                }
                $($item)*
                pub(super) fn after(&self, user: &str) {
                    let _ = user;
                }
            }
        };
    }

    items! {
        pub(super) fn plain(&self, password: &str) {
            let _ = password;
        }

        #[instrument]
        pub(super) fn own(&self, password: &str) {
            let _ = password;
        }
    }

    #[instrument(names, fields(пароль = "***"))]
    pub(super) fn other_letters(user: &str, пароль: &str) {
        let _ = (user, пароль);
    }

    #[instrument(fields("größe" = "***"))]
    pub(super) fn other_letters_without_names(größe: &str) {
        let _ = größe;
    }

    #[instrument(fields(password = "***"))]
    pub(super) fn bound_to_nothing(Credentials { user, password: _ }: Credentials) {
        let _ = user;
    }

    #[instrument(names, fields(task_id_ = "***"))]
    pub(super) fn reserved(task_id: &str) {
        let _ = task_id;
    }

    #[instrument(names, fields(task_id = "***"))]
    pub(super) fn reserved_with_a_dash(task_id_: &str) {
        let _ = task_id_;
    }
}

#[test]
fn what_leaked_once_stays_out() {
    use regressions::*;
    let lines = kept(|| Fields.own_fields("ada", SECRET));
    assert_eq!(
        lines[0],
        "#Fields::own_fields, user=ada, span_mark=start, password=***, op=login"
    );
    let lines = kept(|| block_on(Fields.no_fields("ada", SECRET)));
    assert!(lines[0].ends_with("password=***, op=any"), "{lines:?}");
    let either = || [Either::A { password: SECRET }, Either::B { secret: SECRET }];
    for value in either() {
        assert_eq!(kept(|| second_case(value)), call("#second_case", ""));
    }
    for value in either() {
        assert_eq!(kept(|| above_cases(value)), call("#above_cases", ""));
    }
    for value in either() {
        kept(|| replaced_in_a_case(value));
    }
    assert_eq!(
        kept(|| above_a_macro(credentials())),
        call("#above_a_macro", "")
    );
    kept(|| replaced_in_a_macro(credentials()));
    assert_eq!(kept(|| Items.plain(SECRET)), call("#Items::plain", ""));
    assert_eq!(kept(|| Items.own(SECRET)), call("#Items::own", ""));
    assert_eq!(kept(|| Items.before(SECRET)), call("#Items::before", ""));
    assert_eq!(kept(|| Items.after(SECRET)), call("#Items::after", ""));
    let lines = kept(|| other_letters("ada", SECRET));
    assert!(lines[0].starts_with("#other_letters, user=ada, span_mark=start"));
    kept(|| other_letters_without_names(SECRET));
    kept(|| bound_to_nothing(credentials()));
    kept(|| reserved(SECRET));
    kept(|| reserved_with_a_dash(SECRET));
}
