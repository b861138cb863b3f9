//! Where things stand in the two pictures: the ladder as a heatmap, and what an agent may become.

use crate::assess::ladder::Ladder;
use crate::assess::{Assessment, RoleGraph};
use crate::check::Axis;
use crate::ui::clean::clean;
use serde::Serialize;

/// The stages in as many letters as stand above a column.
const STAGES: [&str; 5] = ["self operated", "co-builders", "paying", "regulated", "multi-agent"];

/// The heatmap: axes by stages.
#[derive(Serialize)]
pub(super) struct Heatmap {
    columns: Vec<Column>,
    rows: Vec<Row>,
    width: usize,
    height: usize,
}

#[derive(Serialize)]
struct Column {
    x: usize,
    number: usize,
    name: &'static str,
    /// The stage whose postures count.
    here: bool,
}

#[derive(Serialize)]
struct Row {
    y: usize,
    name: String,
    answer: &'static str,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    x: usize,
    class: &'static str,
    words: &'static str,
}

const LABEL: usize = 190;
const CELL: (usize, usize) = (126, 46);
const TOP: usize = 54;

impl Heatmap {
    /// None where the ladder cannot be read, which a test rules out.
    pub(super) fn of(it: &Assessment) -> Option<Self> {
        let ladder = Ladder::embedded().ok()?;
        let answer = |axis: Axis| it.axes.iter().find(|answer| answer.axis == axis).map_or("", |it| it.answer.name());
        let column = |(at, name): (usize, &&'static str)| Column {
            x: LABEL + at * CELL.0,
            number: at + 1,
            name,
            here: it.declared.in_force.is_some_and(|stage| usize::from(stage) == at + 1),
        };
        let rows: Vec<_> = ladder
            .rungs()
            .enumerate()
            .map(|(at, (axis, rung))| Row {
                y: TOP + at * CELL.1,
                name: rung.name.clone(),
                answer: answer(axis),
                cells: rung
                    .posture
                    .iter()
                    .enumerate()
                    .map(|(at, posture)| Cell {
                        x: LABEL + at * CELL.0,
                        class: ["p0", "p1", "p2", "p3"][*posture as usize],
                        words: posture.words(),
                    })
                    .collect(),
            })
            .collect();
        let height = TOP + rows.len() * CELL.1 + 4;
        let columns = STAGES.iter().enumerate().map(column).collect();
        Some(Self { columns, rows, width: LABEL + STAGES.len() * CELL.0, height })
    }
}

/// One agent's roles, from left to right by distance.
#[derive(Serialize)]
pub(super) struct Drawn {
    agent: String,
    boxes: Vec<Box>,
    lines: Vec<Line>,
    width: usize,
    height: usize,
    /// The same in words, for whoever cannot see it.
    words: String,
}

#[derive(Serialize)]
struct Box {
    x: usize,
    y: usize,
    name: String,
    shown: String,
    powers: String,
    powerful: bool,
    agent: bool,
}

#[derive(Serialize)]
struct Line {
    path: String,
    inherits: bool,
}

const BOX: (usize, usize) = (210, 44);
const GAP: (usize, usize) = (70, 14);
/// Letters that fit into a box.
const LETTERS: usize = 27;
/// Small ones.
const SMALL: usize = 36;

/// Places the roles of one agent.
pub(super) fn draw(graph: &RoleGraph) -> Drawn {
    let mut in_column: Vec<usize> = Vec::new();
    let mut places = Vec::new();
    for node in &graph.nodes {
        if in_column.len() <= node.distance {
            in_column.resize(node.distance + 1, 0);
        }
        places.push((4 + node.distance * (BOX.0 + GAP.0), 4 + in_column[node.distance] * (BOX.1 + GAP.1)));
        in_column[node.distance] += 1;
    }
    let boxes: Vec<_> = graph
        .nodes
        .iter()
        .zip(&places)
        .map(|(node, (x, y))| Box {
            x: *x,
            y: *y,
            shown: shortened(&clean(&node.name), LETTERS),
            name: clean(&node.name).into_owned(),
            powers: shortened(&node.powers.join(", "), SMALL),
            powerful: !node.powers.is_empty(),
            agent: node.distance == 0,
        })
        .collect();
    let line = |from: (usize, usize), to: (usize, usize)| {
        let (x1, y1) = (from.0 + BOX.0, from.1 + BOX.1 / 2);
        let (x2, y2) = (to.0, to.1 + BOX.1 / 2);
        let bend = GAP.0 / 2;
        // To a role that stands no farther away: around the right side of both.
        if to.0 <= from.0 {
            let (x2, out) = (to.0 + BOX.0, x1.max(to.0 + BOX.0) + bend);
            return format!("M{x1} {y1} C{out} {y1} {out} {y2} {x2} {y2}");
        }
        format!("M{x1} {y1} C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2.saturating_sub(bend))
    };
    let lines = graph
        .edges
        .iter()
        .map(|edge| Line { path: line(places[edge.from], places[edge.to]), inherits: edge.inherits })
        .collect();
    let rows = in_column.iter().copied().max().unwrap_or(1);
    let words: Vec<_> = graph
        .nodes
        .iter()
        .skip(1)
        .map(|node| {
            let powers = if node.powers.is_empty() { String::new() } else { format!(" ({})", node.powers.join(", ")) };
            format!("{}{powers}", clean(&node.name))
        })
        .collect();
    let agent = clean(&graph.agent).into_owned();
    Drawn {
        words: if words.is_empty() {
            format!("{agent} becomes nobody else")
        } else {
            format!("{agent} becomes {}", words.join(", "))
        },
        agent,
        boxes,
        lines,
        width: 8 + in_column.len() * (BOX.0 + GAP.0) - GAP.0 / 2,
        height: 8 + rows * (BOX.1 + GAP.1) - GAP.1,
    }
}

fn shortened(name: &str, letters: usize) -> String {
    if name.chars().count() <= letters {
        return name.to_owned();
    }
    name.chars().take(letters - 1).chain(['…']).collect()
}
