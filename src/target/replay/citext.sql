create domain public.citext as text;
