//! Entity Framework Core: `<14 digits>_Name.cs` beside its `.Designer.cs`, by id.
//! Source: dotnet/efcore src/EFCore.Relational/Migrations.

use super::version::numbered;
use super::{Claim, Dir, Kind, Planned, Tool};
use crate::history::code::Language;

pub(super) const TOOL: Tool = Tool { name: "ef-core", claim };

fn claim(dir: Dir<'_>) -> Option<Claim> {
    let files = numbered(dir.files(), ".cs").into_iter().filter(|(file, ..)| !file.ends_with(".Designer.cs"));
    let planned = |(file, version, name): (&str, &str, &str)| {
        Planned::new(dir, file, version, name, Kind::Code(Language::CSharp))
    };
    Some(Claim { sure: 90, migrations: files.map(planned).collect(), notes: Vec::new() })
}
