//! Files that people write, read so that every mistake is reported at once, each at its place.
//!
//! The text becomes a tree in which each value knows where it stands; [`Reader`] then takes what it expects out of
//! that tree, and writes down what it did not expect instead of stopping there.

mod block;
mod mistake;
mod nearest;
mod node;
mod reader;

pub use block::place_in;
pub use mistake::{Caution, Mistake, Mistakes};
pub use nearest::nearest;
pub use node::{Node, Place, Value};
pub use reader::{Fields, Reader};
