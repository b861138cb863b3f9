//! A formula from the source of the function that computes it.

pub mod expression;
pub mod machine;
mod own;
mod resolve;
pub mod safe;
mod tables;
pub mod token;

pub(in crate::chain) use resolve::is_hash_name;
