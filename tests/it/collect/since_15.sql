grant set on parameter work_mem to "{db}_app";
create view app.safe_orders with (security_invoker = on) as select id from app.orders;
create table app.singles (a int unique nulls not distinct);
create publication "{db}_rows" for table app.orders (id, tenant_id) where (id > 7);
create publication "{db}_schema" for tables in schema "quote"" and 'tick'";
