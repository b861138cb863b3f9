select 'large_objects' as area, null as object, 'only the first 10,000 large objects were read' as why,
       'fewer large objects' as needs
where exists (select from pg_largeobject_metadata offset 10000)
