//! Checksums, each as its tool computes it.

use crate::history::read::Migration;
use sha2::{Digest, Sha256, Sha384};
use std::hash::{DefaultHasher, Hash, Hasher};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// sqlx: SHA-384 of the file.
pub(super) fn sha384(migration: &Migration) -> Vec<String> {
    vec![hex(&Sha384::digest(migration.text().as_bytes()))]
}

/// Drizzle: SHA-256 of the file.
pub(super) fn sha256(migration: &Migration) -> Vec<String> {
    vec![hex(&Sha256::digest(migration.text().as_bytes()))]
}

/// Prisma: SHA-256 of the script, whatever ends its lines; older versions left out the zero before a small byte.
pub(super) fn prisma(migration: &Migration) -> Vec<String> {
    let unix = migration.text().replace("\r\n", "\n");
    let texts = [migration.text().to_owned(), unix.clone(), unix.replace('\n', "\r\n")];
    let digests = texts.iter().map(|text| Sha256::digest(text.as_bytes()));
    digests.flat_map(|digest| [hex(&digest), digest.iter().map(|byte| format!("{byte:x}")).collect()]).collect()
}

/// refinery: SipHash-1-3 with zero keys over name, version and text, as Rust hashes them.
pub(super) fn refinery(migration: &Migration) -> Vec<String> {
    let Ok(version) = migration.version.parse::<i64>() else { return Vec::new() };
    // As the file has it, whatever another tool that names its files alike would show.
    let base = migration.file.rsplit('/').next().unwrap_or_default();
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    let name = stem.split_once("__").map_or(stem, |(_, name)| name);
    let sum = |version: &dyn Fn(&mut DefaultHasher)| {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        version(&mut hasher);
        migration.text().hash(&mut hasher);
        hasher.finish().to_string()
    };
    let small = i32::try_from(version).ok().map(|version| sum(&|hasher| version.hash(hasher)));
    small.into_iter().chain([sum(&|hasher| version.hash(hasher))]).collect()
}

/// Flyway: CRC-32 over the bytes of each line without its end, as a signed number.
pub(super) fn flyway(migration: &Migration) -> Vec<String> {
    let text = migration.text().strip_prefix('\u{feff}').unwrap_or(migration.text());
    let mut crc = u32::MAX;
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    vec![(!crc).cast_signed().to_string()]
}

/// Sqitch: SHA-1 of the deploy script.
pub(super) fn sha1(migration: &Migration) -> Vec<String> {
    vec![hex(&sha1::Sha1::digest(migration.text().as_bytes()))]
}

/// graphile-migrate: over the hash before it and the body.
pub(super) fn graphile(migration: &Migration) -> Vec<String> {
    vec![crate::history::graphile_hash::of_text(migration.text())]
}

/// Somebody's own runner: one of the usual digests of the file, as it is or trimmed.
pub(super) fn any(migration: &Migration) -> Vec<String> {
    let texts = [migration.text(), migration.text().trim()];
    let digests =
        texts.iter().flat_map(|text| [hex(&Sha256::digest(text.as_bytes())), hex(&Sha384::digest(text.as_bytes()))]);
    digests.collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn crc_is_the_one_everybody_means() {
        let mut crc = u32::MAX;
        for byte in *b"123456789" {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
            }
        }
        assert_eq!(!crc, 0xCBF4_3926);
    }
}
