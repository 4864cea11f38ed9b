//! The stories.

use super::asked::Merging;

/// Whether it went well, or what did not.
pub(super) type Outcome = Result<(), String>;

const ONE: &str = "One thing that was learned.\n";
const OTHER: &str = "Another thing that was learned.\n";

fn waits(prose: &mut dyn Merging, expected: &[&str]) -> Outcome {
    let found = prose.waits();
    if found == expected { Ok(()) } else { Err(format!("{found:?} is not what waits: {expected:?}")) }
}

fn stands(prose: &mut dyn Merging, content: &str, times: usize) -> Outcome {
    let text = prose.prose();
    let found = text.matches(content.trim_end()).count();
    if found == times {
        Ok(())
    } else {
        Err(format!("{content:?} stands {found} times, not {times}, in {text:?}"))
    }
}

/// Looks, chooses this, and merges it, while nobody else is at work.
fn merge(prose: &mut dyn Merging, who: usize, content: &str) {
    prose.look(who);
    prose.pick(who, content);
    prose.apply(who);
    prose.reread(who);
    prose.rewrite(who);
}

/// Between any two steps of a merge another session proposes something.
pub(super) fn another_is_proposed_at_each_step(prose: &mut dyn Merging) -> Outcome {
    let others =
        ["Arrived after the look.\n", "Arrived after the file.\n", "Arrived after the second look.\n"];
    prose.propose(ONE);
    if prose.prose().contains(ONE.trim_end()) {
        return Err("a proposal went into the file".to_owned());
    }
    prose.look(0);
    prose.pick(0, ONE);
    prose.propose(others[0]);
    prose.apply(0);
    prose.propose(others[1]);
    prose.reread(0);
    prose.propose(others[2]);
    prose.rewrite(0);
    waits(prose, &others)?;
    stands(prose, ONE, 1)
}

/// Two look, and then both merge what both saw.
pub(super) fn two_merge_at_once(prose: &mut dyn Merging) -> Outcome {
    prose.propose(ONE);
    for who in [0, 1] {
        prose.look(who);
        prose.pick(who, ONE);
    }
    for who in [0, 1] {
        prose.apply(who);
    }
    for who in [0, 1] {
        prose.reread(who);
        prose.rewrite(who);
    }
    waits(prose, &[])?;
    stands(prose, ONE, 1)
}

/// One dies before each of its steps, and another one merges what waits then.
pub(super) fn one_dies_at_each_step(prose: &mut dyn Merging) -> Outcome {
    for steps in 0..3 {
        let content = format!("Learned before step {steps}.\n");
        prose.propose(&content);
        prose.look(0);
        prose.pick(0, &content);
        if steps > 0 {
            prose.apply(0);
        }
        if steps > 1 {
            prose.reread(0);
        }
        prose.dies(0);
        if prose.waits().contains(&content) {
            merge(prose, 1, &content);
        }
        waits(prose, &[])?;
        stands(prose, &content, 1)?;
    }
    Ok(())
}

/// Two propose within one millisecond, and one of the two is merged.
pub(super) fn two_of_one_instant(prose: &mut dyn Merging) -> Outcome {
    prose.propose(ONE);
    prose.propose(OTHER);
    merge(prose, 0, ONE);
    waits(prose, &[OTHER])?;
    stands(prose, ONE, 1)?;
    stands(prose, OTHER, 0)
}

/// Bodies with headings and fences wait while others are merged, and are merged themselves.
pub(super) fn a_body_has_headings(prose: &mut dyn Merging) -> Outcome {
    let bodies = [
        "First.\n\n## A heading\n\nAnd what is under it.\n",
        "Second.\n\n```md\n## No heading\n```\n\n## A heading\n\nAnd its text.\n",
        "Third.\n",
    ];
    for body in bodies {
        prose.propose(body);
    }
    merge(prose, 0, bodies[1]);
    waits(prose, &[bodies[0], bodies[2]])?;
    merge(prose, 0, bodies[0]);
    waits(prose, &bodies[2..])?;
    for (body, times) in bodies.iter().zip([1, 1, 0]) {
        stands(prose, body, times)?;
    }
    Ok(())
}

/// A session leaves something that is no proposal, beside one that is.
pub(super) fn something_unreadable_is_proposed(prose: &mut dyn Merging) -> Outcome {
    let before = prose.prose();
    prose.propose(" \n");
    prose.propose(ONE);
    prose.merge_all();
    let text = prose.prose();
    let ours = |line: &&str| line.trim().is_empty() || line.starts_with("<!--") || *line == ONE.trim_end();
    if let Some(line) = text.strip_prefix(&before).unwrap_or(&text).lines().find(|line| !ours(line)) {
        return Err(format!("{line:?} was not proposed"));
    }
    waits(prose, &[])?;
    stands(prose, ONE, 1)
}

/// An agent does not propose: it writes.
pub(super) fn an_agent_edits_it_itself(prose: &mut dyn Merging) -> Outcome {
    prose.edit(ONE);
    if prose.prose().contains(ONE.trim_end()) {
        Err("the edit went into the file".to_owned())
    } else {
        Ok(())
    }
}
