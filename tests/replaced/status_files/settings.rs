//! What is handed out of what is kept, and what becomes of what is kept when that is changed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fencehold::document::Document;
use fencehold::fs::RealFs;
use fencehold::mark::{Folder, Rooted, Shown};
use fencehold_model::Policy;
use fencehold_model::policy::{IdForm, Overlap};
use fencehold_model::status::{Rung, Vocabulary};
use serde_json::json;

use super::scenarios::{Outcome, need};
use crate::spec_kit::{Lab, Machine, Party, asking};

/// Settings with others inside of them.
pub(super) trait Settings {
    /// All of them, as they are kept.
    fn kept(&self) -> String;
    /// Gets all of them, and changes whatever of it can be changed, the inner ones too; whether that is another value now.
    fn change_what_is_got(&mut self) -> bool;
}

/// Whoever gets settings has them for himself.
pub(super) fn what_is_got_is_changed(settings: &mut dyn Settings) -> Outcome {
    let before = settings.kept();
    for _ in 0..2 {
        need(settings.change_what_is_got(), || "nothing of what was got could be changed".to_owned())?;
        let kept = settings.kept();
        need(kept == before, || format!("what is kept was {before} and is {kept}"))?;
    }
    Ok(())
}

/// Ours: the policy of a workspace, by a handle that has read it already.
pub(super) struct OfAWorkspace {
    lab: Lab,
    party: Party<RealFs>,
}

impl OfAWorkspace {
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        let party = lab.party();
        let numbers = Policy { task_ids: IdForm::Numbers, ..Policy::default() };
        assert!(party.apply_policy(&asking("ann"), &numbers).unwrap().verdict);
        OfAWorkspace { lab, party }
    }
}

impl Settings for OfAWorkspace {
    fn kept(&self) -> String {
        let of_this = format!("{:?}", self.party.policy().unwrap().value);
        let of_another = format!("{:?}", self.lab.party().policy().unwrap().value);
        assert_eq!(of_this, of_another);
        of_this
    }

    fn change_what_is_got(&mut self) -> bool {
        let mut got = self.party.policy().unwrap().value;
        let before = got.clone();
        let mut rungs: Vec<Rung> = got.vocabulary.rungs().to_vec();
        rungs.truncate(1);
        got.vocabulary = Vocabulary::new(rungs).unwrap();
        (got.task_ids, got.overlap) = (IdForm::Text, Overlap::Advise);
        got.gates.clear();
        got != before
    }
}

/// Ours: a document.
pub(super) struct InADocument {
    _lab: Lab,
    document: Document<RealFs, Machine>,
}

impl InADocument {
    pub(super) fn new() -> Self {
        let lab = Lab::new();
        let rooted = Rooted::new(&RealFs, lab.root(), &lab.ws()).unwrap();
        let folder = Folder { dir: lab.ws(), id: lab.party().workspace().unwrap() };
        let file = "settings.json".as_ref();
        let document = Document::open(RealFs, lab.machine.clone(), folder, &rooted, file).unwrap();
        let patch = json!({ "a": 1, "inner": { "b": [2] } });
        assert!(document.merge(&patch, None, &Shown::nothing()).unwrap().is_ok());
        InADocument { _lab: lab, document }
    }
}

impl Settings for InADocument {
    fn kept(&self) -> String {
        self.document.read(&Shown::nothing()).unwrap().unwrap().value.to_string()
    }

    fn change_what_is_got(&mut self) -> bool {
        let mut got = self.document.read(&Shown::nothing()).unwrap().unwrap().value;
        got["inner"]["b"][0] = json!(3);
        got["a"] = json!(null);
        self.kept() != got.to_string().as_str()
    }
}

type Map = BTreeMap<&'static str, u64>;
/// What may be shared, and by whom it is changed all the same.
type Shared<T> = Rc<RefCell<T>>;
type Outer = BTreeMap<&'static str, Shared<Map>>;

/// What is got of a map of maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Got {
    /// A copy of all of it.
    Copy,
    /// M28: the map itself.
    Live,
    /// M28: a copy of the outer map, in which the inner ones are the same.
    Shallow,
}

/// A map of maps, in memory.
pub(super) struct Maps {
    got: Got,
    kept: Shared<Outer>,
}

impl Maps {
    pub(super) fn new(got: Got) -> Self {
        let inner = Rc::new(RefCell::new(Map::from([("b", 2)])));
        Maps { got, kept: Rc::new(RefCell::new(BTreeMap::from([("inner", inner)]))) }
    }
}

impl Settings for Maps {
    fn kept(&self) -> String {
        format!("{:?}", self.kept.borrow())
    }

    fn change_what_is_got(&mut self) -> bool {
        let before = self.kept();
        let got = match self.got {
            Got::Live => Rc::clone(&self.kept),
            Got::Shallow => Rc::new(RefCell::new(self.kept.borrow().clone())),
            Got::Copy => {
                let deep = |(name, inner): (&&'static str, &Shared<Map>)| {
                    (*name, Rc::new(RefCell::new(inner.borrow().clone())))
                };
                Rc::new(RefCell::new(self.kept.borrow().iter().map(deep).collect()))
            }
        };
        *got.borrow()["inner"].borrow_mut().entry("b").or_default() += 1;
        if self.got != Got::Shallow {
            got.borrow_mut().insert("more", Rc::default());
        }
        format!("{:?}", got.borrow()) != before
    }
}
