select t.ftrelid as relation, t.ftserver as server from pg_foreign_table t
