select p.oid, p.pubname as name, p.pubowner as owner, p.puballtables::int as all_tables,
       concat_ws(', ', case when p.pubinsert then 'insert' end, case when p.pubupdate then 'update' end,
         case when p.pubdelete then 'delete' end, case when p.pubtruncate then 'truncate' end) as publishes
from pg_publication p
