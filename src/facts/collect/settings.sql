-- Values that may carry a credential stay behind: connection strings, shell commands, and an extension's own settings
-- unless the extension is known to keep none there.
select s.name,
       case
         when s.name in ('password_encryption', 'db_user_namespace') then s.setting
         when s.name ~ 'conninfo|_command$|passphrase|passw|secret|token|credential|_key$' then null
         when strpos(s.name, '.') > 0
           and split_part(s.name, '.', 1) not in ('pgaudit', 'plpgsql', 'auto_explain', 'pg_stat_statements', 'cron', 'hnsw', 'ivfflat')
           then null
         else s.setting
       end as value,
       s.source, s.context
from pg_settings s
