mod expr;
mod lower;
