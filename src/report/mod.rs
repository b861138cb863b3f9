//! An assessment, said in one format; decides nothing.
