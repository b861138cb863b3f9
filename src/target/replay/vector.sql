-- A column that holds vectors, and nothing that computes with them.
create domain public.vector as real[];
create domain public.halfvec as real[];
create domain public.sparsevec as text;
create domain extensions.vector as public.vector;
create domain extensions.halfvec as public.halfvec;
create domain extensions.sparsevec as public.sparsevec;
