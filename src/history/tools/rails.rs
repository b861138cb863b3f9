//! Rails: `db/migrate/<digits>_name.rb`, by version. Source: rails/rails activerecord/lib/active_record/migration.rb.

use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool};
use crate::history::code::Language;

pub(super) const TOOL: Tool = Tool { name: "rails", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files = numbered(dir.files(), ".rb");
    let names: Vec<_> = files.iter().map(|(file, ..)| (*file).to_owned()).collect();
    if !dir.any_text(&names, |text| text.contains("ActiveRecord::Migration")) {
        return None;
    }
    let planned =
        |(file, version, name): (&str, &str, &str)| Planned::new(dir, file, version, name, Kind::Code(Language::Ruby));
    Some(Claim { sure: 90, migrations: files.into_iter().map(planned).collect(), notes: Vec::new() })
}
