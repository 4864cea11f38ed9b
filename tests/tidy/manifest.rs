//! What the library depends on.

use super::top;

/// The library without the command line depends on these and on nothing else.
const LIBRARY: [&str; 4] = ["crc32fast", "fencehold-model", "rustix", "serde_json"];

/// The dependencies in a manifest that are not optional, sorted.
fn needed(manifest: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let mut names: Vec<String> = lines
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#') && !line.contains("optional = true"))
        .filter_map(|line| line.split(['.', ' ', '=']).next().map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[test]
fn the_library_depends_on_four_crates() {
    let manifest = std::fs::read_to_string(top().join("impl/Cargo.toml")).unwrap();
    assert_eq!(needed(&manifest), LIBRARY);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = std::process::Command::new(cargo)
        .current_dir(top())
        .args([
            "tree",
            "-p",
            "fencehold",
            "--no-default-features",
            "-e",
            "normal",
            "--depth",
            "1",
            "--offline",
        ])
        .args(["--prefix", "none"])
        .output()
        .expect("cargo runs the tests, so it is there");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut direct: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
    direct.sort_unstable();
    assert_eq!(direct, LIBRARY, "{text}");
}

#[test]
fn a_new_dependency_is_found() {
    let manifest = "[features]\ncli = []\n\n[dependencies]\nb.workspace = true\nclap = { optional = true }\n\
        a = \"1\"\n# c = \"1\"\n\n[dev-dependencies]\nd = \"1\"\n";
    assert_eq!(needed(manifest), ["a", "b"]);
}
