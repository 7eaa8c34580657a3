//! Writes `#[async_log::instrument]` above each function of the files that are named, and says of how many.
//!
//! The attribute is put into the text; nothing else of it changes. What is in a macro is left alone.

use std::path::Path;
use std::{env, fs};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};

const ATTRIBUTE: &str = "#[async_log::instrument] ";

#[derive(Default)]
struct Functions {
    /// Where each begins, behind its attributes.
    starts: Vec<usize>,
    constant: usize,
}

impl Functions {
    fn add(&mut self, signature: &syn::Signature, before: TokenStream) {
        if signature.constness.is_some() {
            self.constant += 1;
            return;
        }
        let mut tokens = before;
        signature.to_tokens(&mut tokens);
        let first = tokens.into_iter().next().expect("`fn` at least");
        self.starts.push(first.span().byte_range().start);
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.add(&function.sig, function.vis.to_token_stream());
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        let mut before = function.vis.to_token_stream();
        function.defaultness.to_tokens(&mut before);
        self.add(&function.sig, before);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if function.default.is_some() {
            self.add(&function.sig, TokenStream::new());
        }
        visit::visit_trait_item_fn(self, function);
    }
}

/// `None` where it cannot be read (not every file below `tests` is one of Rust's own), and for an allocator: to log
/// what it does it would have to allocate.
fn annotate(path: &Path) -> Option<Functions> {
    let text = fs::read_to_string(path).ok()?;
    if text.contains("#[global_allocator]") {
        return None;
    }
    // What spans do not count.
    let skipped = text.len() - text.trim_start_matches('\u{feff}').len();
    let file = syn::parse_file(&text).ok()?;
    let mut functions = Functions::default();
    functions.visit_file(&file);
    let shebang = file.shebang.as_ref().map_or(0, String::len);
    functions.starts.sort_unstable();
    let mut annotated = text;
    for start in functions.starts.iter().rev() {
        annotated.insert_str(start + skipped + shebang, ATTRIBUTE);
    }
    fs::write(path, annotated).expect("the file can be written");
    Some(functions)
}

fn main() {
    let (mut annotated, mut constant) = (0, 0);
    for path in env::args_os().skip(1) {
        match annotate(Path::new(&path)) {
            Some(functions) => {
                annotated += functions.starts.len();
                constant += functions.constant;
            }
            None => eprintln!("left as it is: {}", Path::new(&path).display()),
        }
    }
    println!("{annotated} {constant}");
}
