select 'scheduled job' as place, 'scheduled job' as object_kind, j.jobid as object, 0 as column_number, null as part,
       null as name, j.command as text, 1 as code
from cron.job j
