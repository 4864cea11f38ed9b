//! `[[guarded]]` of a `fencehold.toml`: which paths need which lock.

use fencehold_model::policy::{Guard, Guarded};
use fencehold_model::{LockName, Pattern};
use toml::Spanned;
use toml::de::DeValue;

use super::{Wrong, shaped, unknown};

type Read<T> = std::result::Result<T, Wrong>;

const LIST: &str = "a list of tables: [[guarded]], then paths = [\"…\"] and lock = \"…\"";
const PATHS: &str = "a list of paths and globs";

/// The guards of the whole list.
pub(super) fn read(value: &DeValue<'_>) -> Read<Guarded> {
    let Some(list) = value.as_array() else { return Err(shaped("guarded", value, LIST).into()) };
    let guards = list.iter().map(guard).collect::<Read<_>>()?;
    Guarded::new(guards).map_err(|why| Wrong(None, format!("`guarded`: {why}")))
}

fn guard(item: &Spanned<DeValue<'_>>) -> Read<Guard> {
    let place = Some(item.span().start);
    let Some(table) = item.get_ref().as_table() else {
        return Err(Wrong(place, shaped("guarded", item.get_ref(), LIST)));
    };
    let (mut found, mut lock) = (None, None);
    for (key, value) in table {
        let place = Some(key.span().start);
        match key.get_ref().as_ref() {
            "paths" => found = Some(paths(value)?),
            "lock" => {
                let text = value.get_ref().as_str();
                let text =
                    text.ok_or_else(|| Wrong(place, shaped("lock", value.get_ref(), "a lock's name")))?;
                lock = Some(LockName::new(text).map_err(|bad| Wrong(place, bad.to_string()))?);
            }
            other => return Err(Wrong(place, unknown(&format!("guarded.{other}"), "`paths` and `lock`"))),
        }
    }
    let needs = |key: &str| Wrong(place, format!("a table `guarded` has no `{key}`"));
    Ok(Guard { paths: found.ok_or_else(|| needs("paths"))?, lock: lock.ok_or_else(|| needs("lock"))? })
}

fn paths(value: &Spanned<DeValue<'_>>) -> Read<Vec<Pattern>> {
    let Some(list) = value.get_ref().as_array() else {
        return Err(Wrong(Some(value.span().start), shaped("paths", value.get_ref(), PATHS)));
    };
    let path = |item: &Spanned<DeValue<'_>>| {
        let wrong = |what: String| Wrong(Some(item.span().start), what);
        let text = item.get_ref().as_str();
        let text = text.ok_or_else(|| wrong(shaped("paths", item.get_ref(), PATHS)))?;
        Pattern::new(text).map_err(|bad| wrong(format!("`paths`: {bad}")))
    };
    list.iter().map(path).collect()
}

/// The guards as they stand in a `fencehold.toml`; nothing where there are none.
pub(super) fn render(guarded: &Guarded, quoted: impl Fn(&str) -> String) -> String {
    let table = |guard: &Guard| {
        let paths: Vec<String> = guard.paths.iter().map(|path| quoted(path.as_str())).collect();
        format!("\n[[guarded]]\npaths = [{}]\nlock = {}\n", paths.join(", "), quoted(guard.lock.as_str()))
    };
    guarded.guards().iter().map(table).collect()
}
