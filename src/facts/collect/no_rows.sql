-- Said in words that `assess` knows: a check that rests on rows is then undecided by choice.
insert into unseen (area, why, needs)
values ('samples', 'rows were not read, by choice', 'a run without --no-data');
