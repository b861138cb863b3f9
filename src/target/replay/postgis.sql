-- Columns that hold places, and nothing that computes with them.
create domain public.geometry as text;
create domain public.geography as text;
create domain public.raster as text;
create domain public.box2d as text;
create domain public.box3d as text;
create domain extensions.geometry as public.geometry;
create domain extensions.geography as public.geography;
