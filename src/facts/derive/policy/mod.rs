//! Policy reasoning: can a row of another tenant get through?
//!
//! [`lower`] reads PostgreSQL's text, [`world`] holds what is certain, [`search`] tries what is not, [`domain`] knows which
//! values are worth a try, [`eval`] and [`rows`] evaluate one, [`decide`] puts the question for each command, [`outlet`] for
//! views, functions, and what a trigger or rule does ([`effects`]), [`words`] says the answer.

mod asker;
mod body;
mod builtin;
mod calls;
mod compare;
mod copies;
mod decide;
mod domain;
pub(crate) mod dynamic;
pub(crate) mod effects;
mod eval;
mod expr;
mod frame;
mod known;
mod lower;
mod lower_query;
pub(crate) mod members;
pub(crate) mod outlet;
mod permit;
mod pins;
mod plpgsql;
mod plpgsql_rows;
pub(crate) mod refusal;
mod rows;
mod search;
mod settings;
mod shown;
mod subselect;
pub(crate) mod through_view;
mod value;
mod words;
mod world;

pub(crate) use decide::decide;
pub(crate) use pins::{PLACE, Pins, placed};
pub(crate) use settings::{Setting, settings};
pub(crate) use world::World;
