//! `mutants`: the matrix of engines and mutants.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::args::Mutants;
use super::matrix_page::page;
use super::section::{Line, Section, word};
use super::{broken, broken::Broken};
use crate::sim::seam::hunt::{Cell, Effort, Progress, caught_table, engines, matrix, side_by_side};
use crate::sim::seam::{Mutant, census, mutants as mutants_of, quietly};

/// Hunts; gives the exit code.
pub(super) fn mutants(args: &Mutants) -> Result<u8, String> {
    let all = mutants_of(&census());
    let own: Vec<Mutant> = all.into_iter().filter(|mutant| mutant.name.contains(&args.only)).collect();
    let mut others = broken::all(&args.out.join("processes"));
    others.retain(|broken| broken.name.contains(&args.only));
    if own.is_empty() && others.is_empty() {
        return Err(format!("there is no mutant with {:?} in its name", args.only));
    }
    if args.list {
        print(&list(&own, &others))?;
        return Ok(0);
    }
    quietly();
    let began = Instant::now();
    let mut engines = engines();
    engines.retain(|engine| args.asks(engine.name));
    let within = Duration::from_secs(60 * args.minutes);
    let effort = Effort { seed: args.seed, seeds: args.seeds, within, first: args.first };
    let progress = |hunt: &Progress<'_>| {
        let (done, of, seconds) = (hunt.done, hunt.of, began.elapsed().as_secs());
        eprintln!("{done} of {of}, {seconds} s: {}: {}: {}", hunt.mutant, hunt.engine, word(hunt.cell));
    };
    let hunted = matrix(&own, &engines, effort, &progress);
    let sections = [Section::own(&hunted), hunt_others(others, args, began + within)];
    write(&args.out, &sections, &caught_table(&hunted), &hunted.flagged)?;
    for section in &sections {
        print(&section.text())?;
    }
    for flagged in &hunted.flagged {
        print(&format!("FLAGGED though nothing is wrong: {flagged}\n"))?;
    }
    let executions = hunted.control_executions;
    print(&format!("{executions} executions of the shipped code as it is, not flagged\n"))?;
    eprintln!("{} s; {}", began.elapsed().as_secs(), args.out.display());
    Ok(u8::from(!hunted.flagged.is_empty()))
}

/// What is simulated side by side; then processes, one soak at a time.
fn hunt_others(others: Vec<Broken>, args: &Mutants, until: Instant) -> Section {
    let seeds = args.seed..args.seed + args.seeds;
    let hunt = |broken: &Broken| {
        let cell = |engine: &&str| {
            let way = broken.ways.iter().find(|way| way.engine == *engine && args.asks(way.engine));
            way.map_or_else(Cell::default, |way| {
                let seeds = if way.draws { seeds.clone() } else { seeds.start..seeds.start + 1 };
                let cell = Cell::of(&way.ground, seeds, until);
                eprintln!("{}: {engine}: {}", broken.name, word(&cell));
                cell
            })
        };
        let cells: Vec<Cell> = broken::ENGINES.iter().map(cell).collect();
        let caught = cells.iter().zip(broken::ENGINES);
        let soonest = caught.filter_map(|(cell, engine)| Some((cell.median()?.elapsed, engine))).min();
        let soonest = soonest.map(|(_, engine)| engine);
        Line { name: broken.name.clone(), kind: broken.kind, at: None, cells, soonest, harmless: None }
    };
    let (simulated, processes): (Vec<Broken>, Vec<Broken>) =
        others.into_iter().partition(|broken| broken.kind != broken::PROCESS);
    let mut rows = side_by_side(&simulated, hunt);
    rows.extend(processes.iter().map(hunt));
    Section { title: "Known-bad programs and machines", engines: broken::ENGINES.to_vec(), rows }
}

fn write(out: &Path, sections: &[Section; 2], table: &str, flagged: &[String]) -> Result<(), String> {
    let json = json!({ "own": sections[0].json(), "others": sections[1].json(), "flagged": flagged });
    let files = [
        ("mutants.json", format!("{json:#}\n")),
        ("mutants.html", page(sections)),
        ("caught.tsv", table.to_owned()),
    ];
    std::fs::create_dir_all(out)
        .and_then(|()| files.iter().try_for_each(|(name, text)| std::fs::write(out.join(name), text)))
        .map_err(|error| format!("writing into {}: {error}", out.display()))
}

fn print(text: &str) -> Result<(), String> {
    match std::io::Write::write_all(&mut std::io::stdout().lock(), text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(format!("stdout: {error}")),
        _ => Ok(()),
    }
}

fn list(own: &[Mutant], others: &[Broken]) -> String {
    let mut text = String::new();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for mutant in own {
        *kinds.entry(mutant.kind.word()).or_default() += 1;
        let _ = writeln!(text, "{}  ({})", mutant.name, mutant.mutation);
    }
    for broken in others {
        *kinds.entry(broken.kind).or_default() += 1;
        let _ = writeln!(text, "{}", broken.name);
    }
    for (kind, count) in kinds {
        let _ = writeln!(text, "{count} of the kind: {kind}");
    }
    text
}
