//! Where in the program a span comes from.

use crate::target::Target;

/// Where in the program a span comes from, and what it is called.
pub(crate) trait SpanSource {
    /// `None` where it stands with the fields.
    fn name(&self) -> Option<&str>;
    fn target(&self) -> &str;
    /// The target if it is static.
    fn static_target(&self) -> Target;
    fn module_path(&self) -> Option<&'static str>;
    fn line(&self) -> (&'static str, u32);
}

/// Where a `span!` or an annotated function stands, and what is known of it when it is compiled.
#[doc(hidden)]
#[derive(Debug)]
pub struct CallSite {
    /// `None` where the name has to be formatted.
    pub name: Option<&'static str>,
    pub target: &'static str,
    pub module_path: &'static str,
    pub file: &'static str,
    pub line: u32,
}

impl SpanSource for &'static CallSite {
    fn name(&self) -> Option<&str> {
        self.name
    }

    fn target(&self) -> &str {
        self.target
    }

    #[inline]
    fn static_target(&self) -> Target {
        Target::of(self.target)
    }

    fn module_path(&self) -> Option<&'static str> {
        Some(self.module_path)
    }

    fn line(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }
}
