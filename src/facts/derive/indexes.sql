-- What the checks join by. Made when the tables are full, which is cheaper than keeping them while they fill; without
-- statistics, with which SQLite plans some of the checks worse.
create index if not exists relations_by_schema on relations (schema_oid);
create index if not exists columns_by_name on columns (name);
create index if not exists indexes_by_relation on indexes (relation);
create index if not exists constraints_by_relation on constraints (relation);
create index if not exists policies_by_relation on policies (relation);
create index if not exists policy_settings_by_policy on policy_settings (policy);
create index if not exists grants_by_object on grants (object, object_kind);
create index if not exists triggers_by_relation on triggers (relation);
create index if not exists view_dependencies_by_view on view_dependencies (view);
create index if not exists inheritance_by_child on inheritance (child);
create index if not exists relation_privileges_by_relation on relation_privileges (relation);
create index if not exists verdicts_by_relation on verdicts (relation, command);
create index if not exists exposure_by_relation on exposure (relation);
create index if not exists event_log_guards_by_log on event_log_guards (log);
create index if not exists event_log_rights_by_log on event_log_rights (log);
