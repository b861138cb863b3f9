select j.jobid as id, j.schedule, j.username as role_name, j.database, j.active::int as active from cron.job j
