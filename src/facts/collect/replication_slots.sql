select s.slot_name as name, s.slot_type as kind, s.plugin, s.database, s.active::int as active
from pg_replication_slots s
