//! `docs/chains/scorecard.md`: what is told of every attack, in every layout. Written from the files that the tests in
//! `attacks` and `chains` carry out, so that it says nothing a test does not hold.
//! `GOVCTL_BLESS=1 cargo test --test it scorecard::` rewrites it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::attacks::{Attack, every_layout, folder};
use crate::chains::Fixture;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

macro_rules! names {
    ($($name:ident),* $(,)?) => { const LAYOUTS: &[&str] = &[$(stringify!($name)),*]; };
}

every_layout!(names);

const AGAINST: [&str; 4] = ["alone", "middle", "tip", "head"];

/// The same for readers; nothing is said of the chain alone.
const MEANS: [&str; 4] = ["", "by 150: ", "by 200: ", "by head: "];

#[test]
fn the_scorecard_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/chains/scorecard.md");
    let text = scorecard();
    if std::env::var_os("GOVCTL_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{} is stale; GOVCTL_BLESS=1 cargo test --test it scorecard::", path.display());
}

fn scorecard() -> String {
    let attacks: Vec<Attack> =
        serde_yaml::from_str(&std::fs::read_to_string(folder().join("matrix.yaml")).unwrap()).unwrap();
    let layouts: Vec<(&str, Fixture)> =
        LAYOUTS.iter().map(|name| (*name, Fixture::read(&folder().join(format!("{name}.sql"))))).collect();
    let mut text = "# What is told of which attack\n\n\
        Every cell is asserted by a test that forges the chain in a real PostgreSQL, carries the attack out and runs `govctl verify-chain`\n\
        (`tests/it/attacks.rs`). A chain has 200 rows; places are the numbers rows had before the attack. Kinds are those of the JSON report.\n\
        *intact* is an attack that cannot be seen by those means: that is what checkpoints and heads kept outside the database are for.\n\n\
        | attack | the chain alone | with a checkpoint of 150 rows | with one of all 200 | with the head |\n|---|---|---|---|---|\n"
        .to_owned();
    for attack in &attacks {
        let cells = AGAINST.map(|against| attack.of(against).replace('|', "\\|"));
        let _ = writeln!(text, "| {} | {} |", attack.name, cells.join(" | "));
    }
    let header: Vec<String> = layouts.iter().map(|(name, _)| format!("`{name}`")).collect();
    let _ = write!(
        text,
        "\n## By layout\n\n✓ stands for exactly what the table above says, with each of the four means; else what is told otherwise: by the chain alone, or by the\n\
         checkpoint of 150 rows, that of 200 and the head, which are named. – where the layout has nothing of the kind.\n\n\
         | attack | {} |\n|---|{}\n",
        header.join(" | "),
        "---|".repeat(layouts.len())
    );
    let (mut told, mut cells) = (0, 0);
    for attack in &attacks {
        let mut row = format!("| {} |", attack.name);
        for (_, layout) in &layouts {
            let part = |part: &str| attack.sql.contains(&format!("{{{part}}}")) && layout.get(part).is_none();
            if part("payload") || part("redact") {
                row += " – |";
                continue;
            }
            let own = |against: &&str| {
                let key = format!("{} | {against}", attack.name);
                layout.all("attack").filter_map(|line| line.split_once(" => ")).find(|(known, _)| *known == key)
            };
            let said =
                AGAINST.map(|against| own(&against).map_or_else(|| attack.of(against), |(_, own)| own.to_owned()));
            cells += said.len();
            told += said.iter().filter(|said| *said != "intact").count();
            let differs = |(at, against): (usize, &&str)| {
                own(against).filter(|(_, own)| *own != attack.of(against)).map(|_| format!("{}{}", MEANS[at], said[at]))
            };
            let differing: Vec<String> = AGAINST.iter().enumerate().filter_map(differs).collect();
            let cell = if differing.is_empty() { "✓".to_owned() } else { differing.join("; ") };
            let _ = write!(row, " {cell} |");
        }
        text += &(row + "\n");
    }
    let _ = write!(
        text,
        "\n{} attacks on {} layouts, each judged by four means: {cells} judgements, of which {told} tell the attack and {} are what no means of\n\
         that kind can see, or no attack.\n",
        attacks.len(),
        layouts.len(),
        cells - told
    );
    for (title, of, about) in [
        ("Layouts", "layouts", "Each is intact as it was written, and each tampering of it is told by kind and place."),
        ("False alarms", "alarms", "Chains that look damaged, and what is said of them instead."),
        ("What is not decided", "undecided", "Neither *intact* nor *broken*, with a way out."),
    ] {
        let _ = write!(
            text,
            "\n## {title}\n\n{about} (`fixtures/chains/{of}`, `tests/it/chains.rs`)\n\n| chain | untouched | what is done, and told |\n|---|---|---|\n"
        );
        for path in files(of) {
            let fixture = Fixture::read(&path);
            let counted = fixture.cases().iter().skip(1).map(|(_, told)| (*told).to_owned()).collect::<Vec<_>>();
            let name = path.file_stem().unwrap().to_string_lossy().replace('_', " ");
            let verdict = fixture.get("verdict").unwrap_or("intact");
            let _ = writeln!(text, "| {name} | {verdict} | {} |", counted.join("; "));
        }
    }
    text
}

fn files(of: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder().parent().unwrap().join(of)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
