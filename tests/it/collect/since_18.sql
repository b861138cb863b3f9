alter table app.counters add constraint hoped check (n > 0) not enforced;
