//! Files that are not written yet.

/// What a tool is to find. Paths are below the folder of the migrations, with slashes.
#[derive(Debug, Default)]
pub(super) struct Draft {
    /// Must not exist.
    pub(super) files: Vec<(String, String)>,
    /// The tool's own index, continued: the whole text, before and after.
    pub(super) continued: Vec<Continued>,
    /// What whoever runs them has to know.
    pub(super) notes: Vec<String>,
}

/// A file that exists, with something added.
#[derive(Debug)]
pub(super) struct Continued {
    pub(super) path: String,
    /// As it was read; none where it has to be made.
    pub(super) before: Option<String>,
    pub(super) after: String,
}

impl Draft {
    pub(super) fn file(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.files.push((path.into(), text.into()));
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}
