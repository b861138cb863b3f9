-- PostgreSQL hides these without an error.
select 'settings' as area, null as object, 'settings that only superusers see are left out of pg_settings' as why,
       format('grant pg_read_all_settings to %I', current_user) as needs
where not pg_has_role('pg_read_all_settings', 'USAGE')
