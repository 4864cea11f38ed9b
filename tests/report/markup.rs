//! A small checker of well-formed markup, enough for XML without a DTD and for HTML that closes what it opens.

/// An element as it was opened.
#[derive(Debug)]
pub(crate) struct Element {
    /// Its name.
    pub(crate) name: String,
    /// Its attributes, unescaped they are not.
    pub(crate) attributes: Vec<(String, String)>,
}

impl Element {
    /// The attribute of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether its class list holds the class.
    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
    }
}

/// All elements in the order in which they are opened, or what is not well formed.
pub(crate) fn elements(text: &str) -> Result<Vec<Element>, String> {
    let (mut found, mut open, mut ids, mut rest) = (Vec::new(), Vec::<String>::new(), Vec::new(), text);
    while let Some(at) = rest.find('<') {
        content(&rest[..at], open.last().is_some_and(|name| name == "style"))?;
        rest = &rest[at + 1..];
        let end = rest.find('>').ok_or("a tag that does not end")?;
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if tag.starts_with('!') || tag.starts_with('?') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            let opened = open.pop();
            if opened.as_deref() != Some(name) {
                return Err(format!("</{name}> closes {opened:?}"));
            }
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let element = element(tag)?;
        if let Some(id) = element.get("id") {
            if ids.iter().any(|seen| seen == id) {
                return Err(format!("two elements have the id {id}"));
            }
            ids.push(id.to_owned());
        }
        if !closed {
            open.push(element.name.clone());
        }
        found.push(element);
    }
    content(rest, false)?;
    if open.is_empty() { Ok(found) } else { Err(format!("never closed: {open:?}")) }
}

fn element(tag: &str) -> Result<Element, String> {
    let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
    if name.is_empty() || !name.chars().all(|char| char.is_ascii_alphanumeric() || char == '-') {
        return Err(format!("<{tag}> has no name"));
    }
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        let (key, after) = rest.split_once("=\"").ok_or_else(|| format!("<{tag}>: {rest:?}"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("<{tag}>: {after:?}"))?;
        content(value, false)?;
        attributes.push((key.trim().to_owned(), value.to_owned()));
        rest = after;
    }
    Ok(Element { name: name.to_owned(), attributes })
}

/// In text, `>` and a bare `&` do not stand; a style sheet is taken as it is.
fn content(text: &str, style: bool) -> Result<(), String> {
    if style {
        return Ok(());
    }
    for (at, _) in text.match_indices('&') {
        let name = text[at + 1..].split_once(';').map_or("", |(name, _)| name);
        if name.is_empty() || !name.chars().all(|char| char.is_ascii_alphanumeric() || char == '#') {
            return Err(format!("a bare & in {text:?}"));
        }
    }
    if text.contains('>') { Err(format!("a bare > in {text:?}")) } else { Ok(()) }
}

#[test]
fn the_checker_itself_sees_what_is_wrong() {
    for bad in ["<a>", "<a></b>", "<a>&</a>", "<a b=c/>", "<a", "<a>></a>", "<a id=\"x\"/><b id=\"x\"/>"] {
        assert!(elements(bad).is_err(), "{bad}");
    }
    assert_eq!(elements("<a b=\"c\"><d/>&lt;</a>").map(|found| found.len()), Ok(2));
}
