//! `diff` reads two logs, one after the other.

use std::path::Path;

use async_log_cli::write::{Look, diff};

use crate::args::{Command, Common, Diff, Files};
use crate::reading::Input;
use crate::report;
use crate::run::{self, Exit, Failure};

/// How much of two logs has to be spans of names that both have, or they are of different programs.
const COMMON: f64 = 0.5;

pub(crate) fn compare(command: &Command, args: &Diff) -> Result<Exit, Failure> {
    let paths = [args.before.clone(), args.after.clone()];
    run::check_output(&paths, args.output.output.as_deref())?;
    let [before, after] = &paths;
    let earlier = measure(command, args, before)?;
    let later = measure(command, args, after)?;
    let mut output = run::open_output(&args.output)?;
    let mut options = diff::Options::default();
    options.look = Look::new(output.has_color(args.color.color), output.width());
    options.files = paths.map(|path| path.display().to_string());
    (options.limit, options.json) = (args.rows.most(), args.rows.json);
    options.fail_on.clone_from(&args.fail_on);
    let names = options.files.clone();
    let diff = diff::Diff::new(&earlier, &later, options);
    if diff.common() == 0.0 {
        return Err(Failure::Usage(format!(
            "{} and {} have no name of a span in common: they are logs of different programs",
            names[0], names[1]
        )));
    }
    let written = diff.write(&mut output).and_then(|()| output.commit());
    run::conclude_output(written, &run::output_name(&args.output))?;
    if !args.output.quiet {
        say_limits(&diff);
    }
    let failed = diff.failed();
    for what in &failed {
        eprintln!("async-log: {what}");
    }
    Ok(if failed.is_empty() {
        Exit::Done
    } else {
        Exit::Nothing
    })
}

/// Says what the result cannot say.
fn say_limits(diff: &diff::Diff) {
    if diff.common() < COMMON {
        let percent = diff.common() * 100.0;
        eprintln!(
            "async-log: only {percent:.0} % of the spans have a name that both logs have; are they \
             of one program?"
        );
    }
    if diff.is_small() {
        eprintln!(
            "async-log: one of the logs has fewer than 20 traces, so nothing can be told from noise; \
             --span NAME compares the spans of that name, each as a trace"
        );
    }
}

fn measure(command: &Command, args: &Diff, file: &Path) -> Result<diff::Measured, Failure> {
    let common = Common {
        files: Files {
            files: vec![file.to_owned()],
        },
        selected: args.selected.clone(),
        reading: args.reading.clone(),
        output: args.output.clone(),
    };
    let mut input = Input::open(command, &common)?;
    let measured = diff::Measured::new(args.names.exact, &args.by.by);
    let name = file.display();
    let measured = input.read(measured, crate::show::no_span_taken);
    let measured = measured.map_err(|error| Failure::Output {
        name: name.to_string(),
        error,
    })?;
    let kept = measured.kept_traces();
    if !args.output.quiet {
        input.report();
    }
    if kept.sum() > 0 {
        return Err(Failure::Usage(format!(
            "{name}: it has but the traces that were kept ({kept}), so its durations and counts are \
             those of no whole: it cannot be compared"
        )));
    }
    let has_time = measured.has_time();
    match input.conclude(command, &common)? {
        Exit::Done if has_time => Ok(measured),
        Exit::Done => Err(Failure::Usage(report::no_time_to_compare(
            &name.to_string(),
        ))),
        _ => Err(Failure::Usage(format!(
            "{name}: it could not be read to its end"
        ))),
    }
}
