//! Where facts come from: a read-only session, or a scratch server.

pub mod scratch;
pub mod url;
