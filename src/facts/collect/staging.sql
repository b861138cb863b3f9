-- What comes from the catalogs by itself and is then folded into the facts by settle.sql.
create temp table definitions (relation integer primary key, definition text);
create temp table extension_members (object_kind text not null, object integer not null, primary key (object_kind, object)) without rowid;
