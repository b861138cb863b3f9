//! A throwaway PostgreSQL: a given URL, local binaries, or embedded.
