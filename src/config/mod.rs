//! What the owner of the database has decided: `govctl.yaml`, raw and then valid.

mod discover;
mod load;
pub(crate) mod roles;
mod secrets;

pub use discover::FILE;
pub use load::parse;
pub(crate) use load::read;
pub use roles::{Purpose, Roles};
pub use secrets::Secrets;

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

/// A valid configuration; the default is what govctl does without a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// How tenants share the database.
    pub tenancy: Tenancy,
    /// What the roles are for.
    pub roles: Roles,
    /// What a secret looks like here.
    pub secrets: Secrets,
}
