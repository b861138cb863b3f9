//! The tree of RFC 6962 over the hashes of rows, grown leaf by leaf in logarithmic space.

use super::algorithm::Digest;
use sha2::{Digest as _, Sha256};

/// A node.
pub type Hash = [u8; 32];

/// The right edge of a tree: one root for each bit of its size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// Roots of the complete subtrees, the largest first.
    edge: Vec<Hash>,
}

impl Tree {
    /// From an edge that was kept; none where it does not fit the size.
    pub fn restore(size: u64, edge: Vec<Hash>) -> Option<Self> {
        (edge.len() == size.count_ones() as usize).then_some(Self { size, edge })
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its right edge.
    pub fn edge(&self) -> &[Hash] {
        &self.edge
    }

    /// Adds a leaf of these bytes.
    pub fn push(&mut self, leaf: &[u8]) {
        let mut node: Hash = Sha256::new().chain_update([0]).chain_update(leaf).finalize().into();
        // Two subtrees of one height become one.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.edge.pop() else { break };
            node = join(&left, &node);
        }
        self.edge.push(node);
        self.size += 1;
    }

    /// Adds the hash of a row.
    pub fn push_digest(&mut self, digest: &Digest) {
        self.push(digest.bytes());
    }

    /// The root; of an empty tree the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut nodes = self.edge.iter().rev();
        match nodes.next() {
            None => Sha256::digest([]).into(),
            Some(last) => nodes.fold(*last, |right, left| join(left, &right)),
        }
    }
}

fn join(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::encoding::hex;

    /// The definition of RFC 6962, section 2.1.
    fn defined(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().into(),
            leaves => {
                let half = leaves.len().next_power_of_two() / 2;
                join(&defined(&leaves[..half]), &defined(&leaves[half..]))
            }
        }
    }

    #[test]
    fn growing_gives_what_the_definition_gives() {
        let mut tree = Tree::default();
        let mut leaves = Vec::new();
        assert_eq!(hex(&tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for n in 0_u32..70 {
            leaves.push(n.to_be_bytes().to_vec());
            tree.push(&n.to_be_bytes());
            assert_eq!(tree.root(), defined(&leaves), "{n}");
            assert_eq!(Tree::restore(tree.size(), tree.edge().to_vec()), Some(tree.clone()));
        }
    }
}
