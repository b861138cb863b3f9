//! (being written)
use super::Global;
use crate::error::Stop;
use crate::exit::Exit;
use crate::ui::Ui;

/// Take the tour: an audit of a made-up shop on an embedded PostgreSQL, nothing to install
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) async fn run(_args: &Args, _global: &Global, _ui: &Ui) -> Result<Exit, Stop> {
    Ok(Exit::Clean)
}
