//! What a stage has and the database lacks, as changes: looked up in the facts, written from templates.
//!
//! The facts may be those of a copy on which earlier changes ran: each structure looks at what exists, under whatever
//! name, and adds what is missing.

mod ground;
mod place;
mod role;
mod stage3;
mod stage4;
mod stage5;
mod template;

pub use stage3::stage3;
pub use stage4::stage4;
pub use stage5::stage5;
