//! `govctl` alone.

use crate::error::Stop;
use crate::exit::Exit;
use crate::ui::Ui;

const WELCOME: &str = "\
govctl audits the governance of a PostgreSQL database. It never writes to it.

  govctl demo                an audit of a made-up product, with no database at all
  govctl diagnose            run every check against yours
  govctl init                write a commented govctl.yaml from what it sees
  govctl diff A B            what opened, what closed and which role gained what, between two facts files
  govctl facts               collect what the checks need, for a look or for later
  govctl checks              list the checks
  govctl explain CHECK       what a check looks for, its SQL, how to fix it

The database comes from a URL, else --url, DATABASE_URL, the PG* variables and ~/.pgpass.
`govctl help COMMAND` lists every option. `man govctl` has the exit codes.
";

pub(super) fn run(ui: &Ui) -> Result<Exit, Stop> {
    ui.data(|out| out.write_all(WELCOME.as_bytes()))?;
    Ok(Exit::Clean)
}
