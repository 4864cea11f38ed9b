//! `fencehold plan init`.

use super::kit::Plans;

/// PLAN-27: `plan init` adds the protocol of plan files as a proposal for `AGENTS.md`, or `CLAUDE.md` where there is that alone,
/// changes no file, and adds none again where it stands in the file or is proposed.
#[test]
fn the_protocol_is_proposed_once_and_a_person_accepts_it() {
    let mut seen = 0;
    for (there, target) in
        [(&["AGENTS.md", "CLAUDE.md"][..], "AGENTS.md"), (&["CLAUDE.md"], "CLAUDE.md"), (&[], "AGENTS.md")]
    {
        let plans = Plans::new();
        for name in there {
            plans.write(name, format!("# {name}\n"));
        }
        for _ in 0..2 {
            let said = plans.yard.run(["plan", "init"]);
            assert_eq!((said.code, said.stderr.contains(target)), (0, true), "{said:?}");
        }
        let read = |name: &str| std::fs::read_to_string(plans.path(name)).ok();
        for name in ["AGENTS.md", "CLAUDE.md"] {
            assert_eq!(
                read(name),
                there.contains(&name).then(|| format!("# {name}\n")),
                "no file is changed"
            );
        }
        let listed = plans.yard.run(["--json", "proposal", "list"]);
        assert_eq!(listed.stdout.matches("plan-protocol").count(), 1, "{listed:?}");
        let said = plans.yard.run(["proposal", "accept", target, "plan-protocol"]);
        assert_eq!(said.code, 0, "{said:?}");
        let text = read(target).unwrap();
        assert_eq!(
            (text.matches("## Plan files").count(), text.contains("fencehold plan check")),
            (1, true),
            "{text}"
        );
        let said = plans.yard.run(["plan", "init"]);
        assert_eq!((said.code, said.stderr.contains("already")), (0, true), "{said:?}");
        // Its example is no task.
        let told = plans.plan(&["check", target]);
        assert_eq!((told.code, &told.summary["value"]["tasks"]), (0, &0.into()), "{told:?}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}
