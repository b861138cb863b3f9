create schema if not exists storage;
create table if not exists storage.buckets (id text primary key, name text, owner uuid, owner_id text, public boolean, created_at timestamptz, updated_at timestamptz, file_size_limit bigint, allowed_mime_types text[]);
create table if not exists storage.objects (id uuid primary key, bucket_id text references storage.buckets, name text, owner uuid, owner_id text, version text, metadata jsonb, user_metadata jsonb, last_accessed_at timestamptz, path_tokens text[], created_at timestamptz, updated_at timestamptz);
alter table storage.objects enable row level security;
create or replace function storage.foldername(name text) returns text[] language sql immutable as $$ select string_to_array(name, '/') $$;
create or replace function storage.filename(name text) returns text language sql immutable as $$ select name $$;
