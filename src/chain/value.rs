//! Values as binary COPY brings them: which types are understood, and rows as slices.

use std::fmt;

/// What the binary form of a column means. Types that are not here are asked for as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One byte.
    Bool,
    /// Two, four or eight bytes, signed, big endian.
    Int,
    /// UTF-8, also of varchar and of enum labels.
    Text,
    /// 16 bytes.
    Uuid,
    /// Microseconds since 2000-01-01 UTC.
    Timestamptz,
    /// Microseconds since 2000-01-01 on somebody's wall.
    Timestamp,
    /// Days since 2000-01-01.
    Date,
    /// As they are.
    Bytes,
    /// The text that was stored.
    Json,
    /// A version byte, then text in PostgreSQL's own spelling.
    Jsonb,
    /// Sent as `::text` by the server: numeric, inet, float, interval, arrays and the rest.
    Rendered,
}

impl Kind {
    /// By the name of a base type; `is_enum` where `pg_type` says so.
    pub fn of(type_name: &str, is_enum: bool) -> Self {
        match type_name {
            _ if is_enum => Self::Text,
            "bool" => Self::Bool,
            "int2" | "int4" | "int8" => Self::Int,
            "text" | "varchar" | "name" => Self::Text,
            "uuid" => Self::Uuid,
            "timestamptz" => Self::Timestamptz,
            "timestamp" => Self::Timestamp,
            "date" => Self::Date,
            "bytea" => Self::Bytes,
            "json" => Self::Json,
            "jsonb" => Self::Jsonb,
            _ => Self::Rendered,
        }
    }

    /// The value is text already.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Rendered)
    }

    /// A point in time.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Timestamptz | Self::Timestamp | Self::Date)
    }

    /// JSON, however it is stored.
    pub const fn is_document(self) -> bool {
        matches!(self, Self::Json | Self::Jsonb)
    }
}

/// A whole number of two, four or eight bytes.
pub fn int(bytes: &[u8]) -> Option<i64> {
    match bytes.len() {
        2 => bytes.try_into().ok().map(|bytes| i64::from(i16::from_be_bytes(bytes))),
        4 => bytes.try_into().ok().map(|bytes| i64::from(i32::from_be_bytes(bytes))),
        8 => bytes.try_into().ok().map(i64::from_be_bytes),
        _ => None,
    }
}

/// The fields of a row of binary COPY, by their places in it.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    places: Vec<(u32, u32)>,
}

/// The place of a null.
const NULL: u32 = u32::MAX;

impl Fields {
    /// Reads where the fields of `tuple` (a field count, then length and bytes of each) are. `false` where that is no row.
    pub fn read(&mut self, tuple: &[u8]) -> bool {
        self.places.clear();
        let Some((count, _)) = tuple.split_first_chunk::<2>() else { return false };
        let mut at = 2;
        for _ in 0..u16::from_be_bytes(*count) {
            let Some((length, _)) = tuple.get(at..).and_then(<[u8]>::split_first_chunk::<4>) else { return false };
            at += 4;
            let length = u32::from_be_bytes(*length);
            if length == NULL {
                self.places.push((u32::try_from(at).unwrap_or(NULL), NULL));
                continue;
            }
            let end = at + length as usize;
            if end > tuple.len() {
                return false;
            }
            self.places.push((u32::try_from(at).unwrap_or(NULL), length));
            at = end;
        }
        true
    }

    /// A field; none where it is null.
    pub fn get<'a>(&self, tuple: &'a [u8], field: usize) -> Option<&'a [u8]> {
        let (at, length) = *self.places.get(field)?;
        (length != NULL).then(|| &tuple[at as usize..(at + length) as usize])
    }

    /// Fields `0..count` with their lengths, as they were sent: what recipe v1 hashes.
    pub fn frames<'a>(&self, tuple: &'a [u8], count: usize) -> &'a [u8] {
        let end = count.checked_sub(1).and_then(|last| self.places.get(last));
        let end = end.map_or(2, |(at, length)| if *length == NULL { *at } else { at + length });
        &tuple[2..end as usize]
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// None.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// A row kept, with its fields.
#[derive(Clone, Default)]
pub struct Row {
    /// As it was sent.
    pub tuple: Vec<u8>,
    /// Where its fields are.
    pub fields: Fields,
}

impl Row {
    /// A field; none where it is null.
    pub fn get(&self, field: usize) -> Option<&[u8]> {
        self.fields.get(&self.tuple, field)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the contents.
        write!(f, "a row of {} fields", self.fields.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_and_framed() {
        let tuple = [&[0, 3][..], &[0, 0, 0, 2, 0xff, 0xfe], &[0xff; 4], &[0, 0, 0, 1, b'x']].concat();
        let mut fields = Fields::default();
        assert!(fields.read(&tuple));
        assert_eq!(fields.get(&tuple, 0).and_then(int), Some(-2));
        assert_eq!((fields.get(&tuple, 1), fields.get(&tuple, 2)), (None, Some(&b"x"[..])));
        assert_eq!(fields.frames(&tuple, 2), &tuple[2..12]);
        assert!(!fields.read(&tuple[..tuple.len() - 1]) && !fields.read(&[]));
    }
}
