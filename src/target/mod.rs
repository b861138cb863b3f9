//! Where facts come from: a read-only session, or a scratch server.

pub mod refusal;
pub mod replay;
pub mod scratch;
mod session;
pub mod url;

pub use refusal::Unreachable;
pub use session::Session;
pub(crate) use session::{connect, version};
