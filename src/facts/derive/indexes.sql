-- What the checks join derived tables by. Made when the tables are full, which is cheaper than keeping them while they fill; without
-- statistics, with which SQLite plans some of the checks worse.
create index if not exists policy_settings_by_policy on policy_settings (policy);
create index if not exists relation_privileges_by_relation on relation_privileges (relation);
create index if not exists verdicts_by_relation on verdicts (relation, command);
create index if not exists exposure_by_relation on exposure (relation);
create index if not exists event_log_guards_by_log on event_log_guards (log);
create index if not exists event_log_rights_by_log on event_log_rights (log);
