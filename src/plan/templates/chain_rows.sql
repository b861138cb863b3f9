--> statement
-- Lanes of a log that was there before: each is a chain of its own. A writer takes one that nobody holds, and holds it until the
-- transaction ends, so that writers do not wait for each other. Rows are locked, and never changed.
create table if not exists {{ schema }}.log_lane (
  log text not null,
  chain text not null,
  lane integer not null,
  primary key (log, chain, lane)
)
