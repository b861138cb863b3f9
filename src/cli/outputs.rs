//! `--output FORMAT=PATH`: reports into files, in the same run.

use crate::assess::Assessment;
use crate::error::Stop;
use crate::report::{self, Format, Settings};
use crate::ui::Look;
use clap::ValueEnum;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::str::FromStr;

/// One wish.
#[derive(Clone, Debug)]
pub(super) struct Output {
    format: Format,
    path: PathBuf,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or("expected FORMAT=PATH, e.g. json=report.json")?;
        let formats = || Format::value_variants().iter().filter_map(|format| format.to_possible_value());
        let format = Format::from_str(format, false).map_err(|_| {
            let known = formats().map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(", ");
            format!("there is no format {format}; there is {known}")
        })?;
        if path.is_empty() {
            return Err("the path is empty".to_owned());
        }
        Ok(Self { format, path: path.into() })
    }
}

/// The files, open.
#[derive(Debug)]
pub(super) struct Outputs(Vec<(Output, File)>);

impl Outputs {
    /// Opens, and empties, every file before the work begins: nobody waits for an audit that cannot be kept, and a
    /// report of yesterday is not taken for one of today when the audit fails.
    pub(super) fn open(wishes: &[Output]) -> Result<Self, Stop> {
        for (at, wish) in wishes.iter().enumerate() {
            if wishes[..at].iter().any(|other| other.path == wish.path) {
                let message = format!("{} is to hold two reports", wish.path.display());
                return Err(Stop::usage(message, "give each --output a path of its own"));
            }
        }
        let open = |wish: &Output| match File::create(&wish.path) {
            Ok(file) => Ok((wish.clone(), file)),
            Err(cause) => Err(Stop::Unwritten { what: wish.path.display().to_string(), cause, audited: false }),
        };
        wishes.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Writes all of them, without colours.
    pub(super) fn write(self, it: &Assessment, settings: &Settings) -> Result<(), Stop> {
        self.write_with(settings, |format, settings, to| report::write(format, it, settings, to))
    }

    /// The same for any report.
    pub(super) fn write_with(
        self,
        settings: &Settings,
        write: impl Fn(Format, &Settings, &mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), Stop> {
        let settings = Settings { look: Look::PLAIN, quiet: false, ..*settings };
        for (wish, file) in self.0 {
            let mut file = BufWriter::new(file);
            let written = write(wish.format, &settings, &mut file).and_then(|()| file.flush());
            if let Err(cause) = written {
                let _ = file.into_parts(); // dropping it would try again
                return Err(Stop::unwritten(wish.path.display().to_string(), cause));
            }
        }
        Ok(())
    }
}
