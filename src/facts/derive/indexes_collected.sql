-- The same for what was collected: made while the rest is being derived.
create index if not exists relations_by_schema on relations (schema_oid);
create index if not exists columns_by_name on columns (name);
create index if not exists indexes_by_relation on indexes (relation);
create index if not exists constraints_by_relation on constraints (relation);
create index if not exists policies_by_relation on policies (relation);
create index if not exists grants_by_object on grants (object, object_kind);
create index if not exists triggers_by_relation on triggers (relation);
create index if not exists view_dependencies_by_view on view_dependencies (view);
create index if not exists inheritance_by_child on inheritance (child);
