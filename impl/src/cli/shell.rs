//! Completions and man pages, from the one definition of the command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Cli;
use super::out::{Ended, Out};
use crate::error::Error;

/// `fencehold completions SHELL`.
pub(super) fn completions(shell: Shell, out: Out) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "fencehold", &mut script);
    out.bytes(&script)?;
    Ok(0)
}

/// `fencehold man [COMMAND]…`.
pub(super) fn man(path: &[String], out: Out) -> Ended {
    let mut root = Cli::command();
    root.build();
    let mut command = &root;
    let mut name = "fencehold".to_owned();
    for word in path {
        let found = command.get_subcommands().find(|sub| sub.get_name() == word && !sub.is_hide_set());
        let Some(sub) = found else {
            return Err(Error::usage(format!("`{name}` has no command `{word}`; see `{name} --help`")).into());
        };
        name = format!("{name} {word}");
        command = sub;
    }
    let page = clap_mangen::Man::new(command.clone()).title(name.replace(' ', "-"));
    let mut text = Vec::new();
    page.render(&mut text).map_err(|error| {
        Error::environment("rendering the page", std::path::Path::new("/dev/stdout"), error)
    })?;
    out.bytes(&text)?;
    Ok(0)
}
