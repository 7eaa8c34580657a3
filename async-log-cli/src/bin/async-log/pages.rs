//! What is made of the arguments: the manual, and what shells complete them with.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Cli;

const NAME: &str = "async-log";

/// What makes a shell complete the arguments.
pub(crate) fn completions(shell: Shell, out: &mut Vec<u8>) -> io::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    if shell != Shell::Bash {
        return out.write_all(&script);
    }
    // clap_complete looks for commands under another name than it found them by, where the program's
    // name has a hyphen: behind a command nothing would be completed.
    let script = String::from_utf8_lossy(&script);
    let right = script.replace("async__subcmd__log", "async__log");
    out.write_all(right.as_bytes())
}

/// The manual page of one command.
pub(crate) struct Page {
    command: clap::Command,
}

impl Page {
    /// The page of a command, if there is such a one.
    pub(crate) fn of(name: &str) -> Option<Page> {
        pages()
            .into_iter()
            .find(|page| page.command.get_name() == name)
    }

    pub(crate) fn render(&self, out: &mut Vec<u8>) -> io::Result<()> {
        Man::new(self.command.clone()).render(out)
    }

    /// A section of the page of all commands.
    fn render_section(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let man = Man::new(self.command.clone());
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        man.render_extra_section(&mut section)?;
        let section = String::from_utf8_lossy(&section).replace("\n.SH ", "\n.SS ");
        let section = match section.strip_prefix(".SH ") {
            Some(rest) => format!(".SS {rest}"),
            None => section,
        };
        let name = format!("{NAME} {}", self.command.get_name()).to_uppercase();
        write!(out, ".SH \"{name}\"\n{section}")
    }
}

/// A page for each command.
fn pages() -> Vec<Page> {
    let mut all = Cli::command().disable_help_subcommand(true);
    all.build();
    let commands = all.get_subcommands().cloned();
    commands.map(|command| Page { command }).collect()
}

/// One page with all commands and all of their options.
pub(crate) fn whole_manual(out: &mut Vec<u8>) -> io::Result<()> {
    Man::new(Cli::command()).render(out)?;
    pages().iter().try_for_each(|page| page.render_section(out))
}

/// Writes all pages into a folder, which is made where there is none.
pub(crate) fn write_manuals(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut text = Vec::new();
    whole_manual(&mut text)?;
    fs::write(folder.join(format!("{NAME}.1")), &text)?;
    for page in pages() {
        text.clear();
        page.render(&mut text)?;
        let name = format!("{NAME}-{}.1", page.command.get_name());
        fs::write(folder.join(name), &text)?;
    }
    Ok(())
}
