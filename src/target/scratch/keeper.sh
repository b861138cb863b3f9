# Keeps one throwaway PostgreSQL for as long as its stdin is open.
#
# govctl holds the other end. However govctl ends (return, panic, Ctrl-C, kill -9), the pipe closes, and this
# stops the server and removes the folder. It starts the server too, so that there is no moment in which one
# runs that nobody will stop. Says "ready" or "failed" once; the folder's `log` says why.
#
# Arguments: the folder to keep everything in; the folder of the server programs, empty to keep the folder alone.
dir=$1
bin=$2
trap '' HUP INT TERM PIPE

start() {
    [ -n "$bin" ] || return 0
    "$bin/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C \
        --no-sync --no-instructions >log 2>&1 || return 1
    cat >>data/postgresql.conf <<END || return 1
listen_addresses = ''
unix_socket_directories = '$dir'
port = 5432
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = 16MB
max_connections = 100
max_locks_per_transaction = 256
wal_level = logical
autovacuum = off
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
END
    "$bin/pg_ctl" --pgdata=data --log=log --wait --timeout=30 start >>log 2>&1 </dev/null
}

stop() {
    [ -f data/postmaster.pid ] || return 0
    read -r server <data/postmaster.pid
    "$bin/pg_ctl" --pgdata=data --mode=immediate --wait --timeout=10 stop >/dev/null 2>&1 || kill -KILL "$server"
}

cd "$dir" || exit
if start; then echo ready; else echo failed; fi
read -r _
stop
cd / && rm -rf "$dir"
