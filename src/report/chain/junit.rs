//! JUnit's XML: a suite a chain, a case for its rows, its links and its coverage, and one for each break.

use crate::chain::verdict::{ChainReport, Verdict};
use crate::report::junit::attribute;
use std::fmt::Write as _;
use std::io;

pub(super) fn write(reports: &[ChainReport], to: &mut dyn io::Write) -> io::Result<()> {
    let mut text =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"govctl verify-chain\">\n");
    for report in reports {
        let undecided = usize::from(report.verdict == Verdict::Undecided);
        let tests = report.breaks.len().max(1);
        let _ = writeln!(
            text,
            "  <testsuite name={} tests=\"{tests}\" failures=\"{}\" errors=\"{undecided}\" time=\"{:.3}\">",
            attribute(&report.table),
            report.breaks.len(),
            report.seconds
        );
        let class = attribute(&report.table);
        for it in &report.breaks {
            let name = match &it.partition {
                Some(partition) => format!("{} at {} of {partition}", it.kind, it.at),
                None => format!("{} at {}", it.kind, it.at),
            };
            let _ = writeln!(
                text,
                "    <testcase classname={class} name={}><failure type=\"{}\" message={}/></testcase>",
                attribute(&name),
                it.kind,
                attribute(&it.detail)
            );
        }
        if report.breaks.is_empty() {
            let outcome = report.why.as_ref().filter(|_| undecided > 0).map_or_else(
                || "/>".to_owned(),
                |why| format!("><error type=\"undecided\" message={}/></testcase>", attribute(why)),
            );
            let _ = writeln!(text, "    <testcase classname={class} name=\"chain\"{outcome}");
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    to.write_all(text.as_bytes())
}
