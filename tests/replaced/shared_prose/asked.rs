//! What a scenario asks of shared prose that is merged from proposals: by several that merge, in steps.

/// One of those that merge.
pub(super) type Who = usize;

/// Proposals for one file of shared prose, and those that merge them. A merge is a look at what waits, a choice, and then
/// three steps; what does in one what others do in three does it at the first.
pub(super) trait Merging {
    /// A session proposes this; no time passes between two proposals.
    fn propose(&mut self, content: &str);

    /// Looks at what waits.
    fn look(&mut self, who: Who);

    /// Chooses what is to be merged, of what was seen.
    fn pick(&mut self, who: Who, content: &str);

    /// First step: puts what was chosen into the file.
    fn apply(&mut self, who: Who);

    /// Second step: reads what waits again.
    fn reread(&mut self, who: Who);

    /// Third step: writes what waits, without what was merged.
    fn rewrite(&mut self, who: Who);

    /// Is killed: before its first step while it is at it, where it is one, and else before the next.
    fn dies(&mut self, who: Who);

    /// Merges all that waits and can be.
    fn merge_all(&mut self);

    /// The contents that wait, in the order in which they came.
    fn waits(&mut self) -> Vec<String>;

    /// The shared file.
    fn prose(&mut self) -> String;

    /// An agent edits the shared file, through its harness, to hold this as well.
    fn edit(&mut self, text: &str);
}
