//! Our own: the shipped program as processes, in a repository with a linked worktree.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::asked::{Act, From, Registry, Spoil};
use crate::program::{Kept, Said, Yard, clean, fencehold_in, said};

/// How often what happens at once is tried.
const ROUNDS: usize = 6;

pub(super) struct Shipped {
    yard: Yard,
    workers: BTreeMap<u64, Kept>,
    /// What [`Spoil::Folder`] took away.
    aside: Option<(PathBuf, Vec<u8>)>,
    /// The bound of [`Spoil::NoDescriptors`].
    descriptors: Option<u32>,
}

/// The words of an act.
fn words(act: &Act) -> Vec<String> {
    let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    match act {
        Act::Grant { id, writes, holder, pid } => {
            let mut all = own(&["lease", "grant", id, "--holder", holder, "--writes"]);
            all.extend(writes.iter().cloned());
            all.extend(pid.iter().flat_map(|pid| ["--pid".to_owned(), pid.to_string()]));
            all
        }
        Act::Close { id, holder } => own(&["lease", "close", id, "--holder", holder]),
        Act::Crash { id } => own(&["lease", "crash", id, "--reason", "it stopped"]),
        Act::Clear { id, force, reason } => {
            let mut all = own(&["lease", "clear", id]);
            all.extend(force.then(|| "--force".to_owned()));
            all.extend(reason.iter().flat_map(|reason| own(&["--reason", reason])));
            all
        }
        Act::List => own(&["--json", "lease", "list", "--all"]),
        Act::History { id } => own(&["history", &format!("lease/{id}")]),
        Act::Closeout { id, holder } => own(&["lease", "closeout", id, "--holder", holder]),
        Act::Repair => own(&["repair"]),
    }
}

impl Shipped {
    pub(super) fn new() -> Self {
        let yard = Yard::with_git();
        Shipped { yard, workers: BTreeMap::new(), aside: None, descriptors: None }
    }

    /// The folder that something is asked from; made when it is first needed.
    fn folder(&self, from: From) -> PathBuf {
        let path = match from {
            From::Main => return self.yard.path(),
            From::LinkedWorktree => self.yard.join("tree"),
            From::Subdirectory => self.yard.join("sub/folder"),
            From::Symlink => self.yard.join("link"),
        };
        match from {
            _ if path.exists() => {}
            From::LinkedWorktree => {
                self.yard.git(&["commit", "-q", "--allow-empty", "-m", "first"]);
                self.yard.git(&["worktree", "add", "-q", "-b", "side", "tree"]);
            }
            From::Symlink => symlink(self.yard.path(), &path).unwrap(),
            From::Main | From::Subdirectory => fs::create_dir_all(&path).unwrap(),
        }
        path
    }

    /// The program behind a line of sh(1) that bounds what it may do.
    fn bounded(&self, from: From, line: &str, words: &[String]) -> Said {
        let mut sh = Command::new("sh");
        let environment = fencehold_in(&self.folder(from));
        for (name, value) in environment.get_envs() {
            match value {
                Some(value) => sh.env(name, value),
                None => sh.env_remove(name),
            };
        }
        sh.args(["-c", &format!("{line}; exec \"$0\" \"$@\"")]).arg(environment.get_program()).args(words);
        said(sh.current_dir(self.folder(from)).stdin(Stdio::null()))
    }

    /// The journal that is written to.
    fn journal(&self) -> PathBuf {
        let of_journal = |path: &PathBuf| {
            let name = path.file_name()?.to_str()?;
            name.strip_prefix("journal.")?.strip_suffix(".ndjson")?.parse::<u64>().ok()
        };
        let paths =
            fs::read_dir(self.yard.join(".git/fencehold")).unwrap().map(|entry| entry.unwrap().path());
        paths.max_by_key(|path| of_journal(path)).expect("there is a journal")
    }

    /// Runs each of these lists of acts, one act after the other, all lists at once.
    fn at_once(&self, before: &[&str], lists: &[Vec<&Act>]) -> Vec<Said> {
        // All stand at one pipe, which is closed when all have said that they are there.
        let (reader, barrier) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let out = tempfile::tempdir().unwrap();
        let begin = |(n, acts): (usize, &Vec<&Act>)| {
            racer(&self.yard.path(), &reader, before, acts, &out.path().join(n.to_string()))
        };
        let mut racers: Vec<Kept> = lists.iter().enumerate().map(begin).collect();
        for racer in &mut racers {
            let mut ready = [0; 6];
            racer.0.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
            assert_eq!(&ready, b"ready\n");
        }
        drop(barrier);
        racers.iter_mut().for_each(|racer| assert!(racer.0.wait().unwrap().success()));
        let told = |n: usize, act: usize| {
            let read = |what: &str| fs::read_to_string(out.path().join(format!("{n}.{act}.{what}"))).unwrap();
            Said { code: read("code").trim().parse().unwrap(), stdout: read("out"), stderr: read("err") }
        };
        lists
            .iter()
            .enumerate()
            .flat_map(|(n, acts)| (0..acts.len()).map(move |act| (n, act)))
            .map(|(n, act)| told(n, act))
            .collect()
    }
}

/// A shell that says "ready", waits until nobody holds the other end of its stdin, and does one act after the other.
fn racer(dir: &Path, barrier: &OwnedFd, before: &[&str], acts: &[&Act], out: &Path) -> Kept {
    let quoted = |words: &[String]| words.iter().map(|word| format!(" '{word}'")).collect::<String>();
    let mut script = "echo ready; read go".to_owned();
    for (n, act) in acts.iter().enumerate() {
        let (before, words, out) = (before.join(" "), quoted(&words(act)), out.display());
        script.push_str(&format!(
            "; {before} \"$0\"{words} >'{out}.{n}.out' 2>'{out}.{n}.err'; echo $? >'{out}.{n}.code'"
        ));
    }
    let mut shell = Command::new("sh");
    clean(&mut shell).args(["-c", &script, env!("CARGO_BIN_EXE_fencehold-under-test")]).current_dir(dir);
    shell.env("FENCEHOLD_HOLDER", "tester").stdin(barrier.try_clone().unwrap());
    Kept(shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
}

fn two(said: Vec<Said>) -> [Said; 2] {
    said.try_into().expect("two were begun")
}

impl Registry for Shipped {
    fn anew(&self) -> Box<dyn Registry> {
        Box::new(Shipped::new())
    }

    fn rounds(&self) -> usize {
        ROUNDS
    }

    fn does(&mut self, from: From, act: &Act) -> Said {
        match self.descriptors {
            Some(most) => self.bounded(from, &format!("ulimit -n {most}"), &words(act)),
            None => self.yard.run_in(&self.folder(from), words(act)),
        }
    }

    fn two_at_once(&mut self, one: &Act, other: &Act) -> [Said; 2] {
        two(self.at_once(&[], &[vec![one], vec![other]]))
    }

    fn in_two_containers(&mut self, one: &Act, other: &Act) -> [Said; 2] {
        let inside = ["unshare", "--pid", "--fork", "--mount-proc", "--"];
        let tried = Command::new(inside[0]).args(&inside[1..]).args(["sh", "-c", "echo $$"]).output();
        // Where no pid namespace can be made, pids are at least not what tells two processes apart.
        let before = match tried {
            Ok(output) if output.stdout == b"1\n" => &inside[..],
            _ => &[],
        };
        two(self.at_once(before, &[vec![one], vec![other]]))
    }

    fn held_up(&mut self, first: &Act, others: &[Act]) -> Vec<Said> {
        self.at_once(&[], &[vec![first], others.iter().collect()])
    }

    fn killed_writing(&mut self, act: &Act) {
        // SIGXFSZ, at the first byte that it writes to any file.
        let said = self.bounded(From::Main, "ulimit -f 0", &words(act));
        assert_eq!(said.code, 128 + rustix::process::Signal::XFSZ.as_raw(), "{said:?}");
    }

    fn on_a_full_disk(&mut self, act: &Act) -> Said {
        self.bounded(From::Main, "trap '' XFSZ; ulimit -f 0", &words(act))
    }

    fn spoil(&mut self, how: Spoil) {
        let path = self.journal();
        let whole = fs::read(&path).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        match how {
            Spoil::Garbage(rubbish) => fs::write(&path, format!("{rubbish}\n")).unwrap(),
            Spoil::Empty => fs::write(&path, "").unwrap(),
            Spoil::Folder => {
                fs::remove_file(&path).unwrap();
                fs::create_dir(&path).unwrap();
                self.aside = Some((path, whole));
            }
            Spoil::NoDescriptors => {
                // What is inherited, and what a loader needs, is not the same everywhere.
                let loads = |most: &u32| {
                    self.bounded(From::Main, &format!("ulimit -n {most}"), &["--version".to_owned()]).code
                        == 0
                };
                let least = (3..64).find(loads).expect("it starts with few descriptors");
                let list = self.bounded(From::Main, &format!("ulimit -n {least}"), &words(&Act::List));
                assert!(list.code != 0 && list.stderr.contains("os error 24"), "{list:?}");
                self.descriptors = Some(least);
            }
            Spoil::Newer => fs::write(&path, crate::bad_data::newer(&text)).unwrap(),
            Spoil::NullEntry => fs::write(&path, text + "null\n").unwrap(),
        }
    }

    fn mend(&mut self) {
        self.descriptors = None;
        if let Some((path, whole)) = self.aside.take() {
            fs::remove_dir(&path).unwrap();
            fs::write(&path, whole).unwrap();
        }
    }

    fn ids_are_numbers(&mut self) {
        fs::write(self.yard.join("fencehold.toml"), "[leases]\nids = \"numbers\"\n").unwrap();
        let said = self.yard.run(["config", "apply"]);
        assert_eq!(said.code, 0, "{said:?}");
    }

    fn worker(&mut self) -> u64 {
        let worker = Kept(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap());
        let pid = worker.0.id().into();
        self.workers.insert(pid, worker);
        pid
    }

    fn kill(&mut self, pid: u64) {
        drop(self.workers.remove(&pid));
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let name = |path: &Path| path.strip_prefix(self.yard.path()).unwrap().as_os_str().to_owned();
        let text = |name: &OsStr| name.to_string_lossy().into_owned();
        self.yard.snapshot().into_iter().map(|(path, _, bytes)| (text(&name(&path)), bytes)).collect()
    }
}
