//! What the owner of the database has decided: `govctl.yaml`, raw and then valid.

mod chains;
mod discover;
mod load;

pub use discover::FILE;
pub use load::parse;
pub(crate) use load::read;

/// How tenants share the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TenancyMode {
    /// Decided from the facts.
    #[default]
    Inferred,
    /// Many tenants.
    Multi,
    /// One tenant; tenant isolation is not applicable.
    Single,
}

/// `tenancy:` of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenancy {
    /// `mode: multi | single`.
    pub mode: TenancyMode,
    /// `keys: [shop_id]`: column names that are the tenant key, beside the well-known ones.
    pub keys: Vec<String>,
    /// `table: public.shops`: the tenant table.
    pub table: Option<String>,
}

/// An entry of `chains:`: what govctl does not find out by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    /// `schema.table`.
    pub table: String,
    /// The column of a row's own hash.
    pub hash: Option<String>,
    /// The column that repeats the hash of the row before.
    pub prev: Option<String>,
    /// Columns that order the rows.
    pub order: Vec<String>,
    /// Columns that tell chains apart.
    pub partition: Vec<String>,
    /// SQL over the columns that gives the hash.
    pub formula: Option<String>,
}

/// A valid configuration; the default is what govctl does without a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// How tenants share the database.
    pub tenancy: Tenancy,
    /// Hash chains.
    pub chains: Vec<Chain>,
}
