insert into unseen (area, why, needs)
values ('first_actors', 'rows were not read, by choice', 'a run without --no-data');
