//! How long `govctl stage --migrations` takes on 5,000 files, beside what hashing the same files takes. See README.md.
#![allow(clippy::print_stdout, clippy::disallowed_macros, reason = "a benchmark says what it measured")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs of each; the middle one is told.
const RUNS: usize = 5;

/// Bytes of all files together.
const BYTES: usize = 15_000_000;

/// One migration as an application of five years has thousands of: a table with its keys and its policy, a column and an
/// index on another, a block that asks before it acts, grants, and rows that fill the file.
fn sql(n: usize, bytes: usize) -> String {
    let other = n / 2;
    let mut text = format!(
        "-- Migration {n}\n\
         CREATE TABLE IF NOT EXISTS public.t{n} (\n  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),\n  organization_id uuid NOT NULL REFERENCES public.organizations (id) ON DELETE CASCADE,\n  user_id uuid REFERENCES public.users (id),\n  title text NOT NULL,\n  status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'gone')),\n  amount numeric(12, 2),\n  payload jsonb,\n  created_at timestamptz NOT NULL DEFAULT now()\n);\n\
         CREATE INDEX t{n}_organization ON public.t{n} (organization_id);\n\
         ALTER TABLE public.t{n} ENABLE ROW LEVEL SECURITY;\n\
         CREATE POLICY t{n}_members ON public.t{n} FOR ALL TO authenticated USING (organization_id IN (SELECT organization_id FROM public.members WHERE user_id = auth.uid())) WITH CHECK (organization_id IN (SELECT organization_id FROM public.members WHERE user_id = auth.uid()));\n\
         ALTER TABLE public.t{other} ADD COLUMN IF NOT EXISTS note_{n} text;\n\
         DO $$ BEGIN\n  IF NOT EXISTS (SELECT 1 FROM pg_policies WHERE tablename = 't{n}' AND policyname = 'own') THEN\n    EXECUTE format('CREATE POLICY own ON public.%I USING (user_id = auth.uid())', 't{n}');\n  END IF;\nEND $$;\n\
         CREATE OR REPLACE FUNCTION public.touch_{n}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.created_at := now();\n  RETURN NEW;\nEND $$;\n\
         CREATE TRIGGER touch BEFORE UPDATE ON public.t{n} FOR EACH ROW EXECUTE FUNCTION public.touch_{n}();\n\
         GRANT SELECT, INSERT, UPDATE ON public.t{n} TO authenticated;\n"
    );
    let mut row = 0;
    while text.len() < bytes {
        row += 1;
        writeln!(text, "INSERT INTO public.t{n} (title, status) VALUES ('row {row}; of {n}', 'open');").unwrap();
    }
    text
}

/// The same as an Alembic revision.
fn python(n: usize, bytes: usize) -> String {
    let before = if n == 0 { "None".to_owned() } else { format!("\"r{:05}\"", n - 1) };
    let mut text = format!(
        "\"\"\"t{n}\n\nCreate Date: 2025-01-01 00:00:00\n\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = \"r{n:05}\"\ndown_revision = {before}\n\nTABLES = [\"t{n}\"]\nTENANT = \"organization_id = current_setting('app.organization_id')::uuid\"\n\n\ndef upgrade():\n    op.create_table(\n        \"t{n}\",\n        sa.Column(\"id\", sa.Uuid(), nullable=False),\n        sa.Column(\"organization_id\", sa.Uuid(), sa.ForeignKey(\"organizations.id\"), nullable=False),\n        sa.Column(\"title\", sa.String(length=200), nullable=False),\n        sa.PrimaryKeyConstraint(\"id\"),\n    )\n    for table in TABLES:\n        op.execute(f\"ALTER TABLE {{table}} ENABLE ROW LEVEL SECURITY\")\n        op.execute(f\"CREATE POLICY tenant_isolation ON {{table}} USING ({{TENANT}})\")\n"
    );
    let mut column = 0;
    while text.len() + 120 < bytes {
        column += 1;
        writeln!(text, "    op.add_column(\"t{n}\", sa.Column(\"c{column}\", sa.String(length=40), nullable=True))")
            .unwrap();
    }
    text + &format!("\n\ndef downgrade():\n    op.drop_table(\"t{n}\")\n")
}

/// The middle of the runs of a command.
fn timed(command: impl Fn() -> Command) -> Duration {
    let mut times: Vec<_> = (0..=RUNS)
        .map(|_| {
            let start = Instant::now();
            let status = command().stdout(Stdio::null()).status().unwrap();
            assert!(status.success(), "{status}");
            start.elapsed()
        })
        .skip(1) // the first finds the files cold
        .collect();
    times.sort();
    times[RUNS / 2]
}

fn measure(name: &str, folder: &Path, files: usize) {
    let hash = timed(|| {
        let mut find = Command::new("sh");
        find.arg("-c").arg("find \"$0\" -type f -exec sha256sum {} +").arg(folder);
        find
    });
    let stage = timed(|| {
        let mut stage = Command::new(env!("CARGO_BIN_EXE_govctl"));
        stage.args(["stage", "--no-progress", "--migrations"]).arg(folder);
        stage
    });
    let (hash, stage) = (hash.as_secs_f64() * 1e3, stage.as_secs_f64() * 1e3);
    println!(
        "{name}, {files} files: reference (sha256sum) {hash:8.1} ms, govctl stage {stage:8.1} ms, {:6.2}×",
        stage / hash
    );
}

fn main() {
    // `cargo test --benches` only asks whether it starts.
    if !env::args().any(|argument| argument == "--bench") {
        return;
    }
    let files: usize = env::var("GOVCTL_BENCH_FILES").map_or(5_000, |files| files.parse().unwrap());
    let bytes = BYTES / 5_000;
    let folder = tempfile::tempdir().unwrap();
    let supabase = folder.path().join("supabase/migrations");
    let alembic = folder.path().join("alembic/versions");
    fs::create_dir_all(&supabase).unwrap();
    fs::create_dir_all(&alembic).unwrap();
    let first = "create table public.organizations (id uuid primary key);\ncreate table public.users (id uuid primary key);\ncreate table public.members (organization_id uuid, user_id uuid, role text);\n";
    fs::write(supabase.join("20200101000000_first.sql"), first).unwrap();
    for n in 0..files {
        fs::write(supabase.join(format!("{}_t.sql", 20_210_101_000_000_u64 + n as u64)), sql(n, bytes)).unwrap();
        fs::write(alembic.join(format!("r{n:05}_t.py")), python(n, bytes)).unwrap();
    }
    measure("SQL", &supabase, files);
    measure("Python", &alembic, files);
}
