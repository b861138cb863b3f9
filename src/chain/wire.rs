//! Rows of COPY straight from the socket: a million rows through a general driver cost as much as their hashes.
//!
//! Only for reading runs, beside a session that was opened in the usual way and is not encrypted. Whatever does not go
//! as expected here ends in none, and the run is read by the driver, which says what is wrong.

use bytes::{Buf, BytesMut};
use percent_encoding::percent_decode_str;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::frontend;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

/// What is asked of the socket at once.
const BUFFER: usize = 256 * 1024;

/// Longer than any server takes to answer a greeting.
const PATIENCE: Duration = Duration::from_secs(20);

/// A session of which nothing is wanted but rows.
pub(super) struct Wire {
    socket: Socket,
    buffer: Vec<u8>,
    /// What was read and not yet looked at.
    unread: Range<usize>,
}

enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read(buffer),
            #[cfg(unix)]
            Self::Unix(socket) => socket.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.write(bytes),
            #[cfg(unix)]
            Self::Unix(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket {
    fn open(options: &PgConnectOptions) -> Option<Self> {
        let port = options.get_port();
        let folder = options
            .get_socket()
            .cloned()
            .or_else(|| Some(options.get_host()).filter(|host| host.starts_with('/')).map(PathBuf::from));
        if let Some(folder) = folder {
            #[cfg(unix)]
            return std::os::unix::net::UnixStream::connect(folder.join(format!(".s.PGSQL.{port}")))
                .ok()
                .map(Self::Unix);
            #[cfg(not(unix))]
            return None;
        }
        let encrypted =
            matches!(options.get_ssl_mode(), PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull);
        if encrypted {
            return None;
        }
        let socket = TcpStream::connect((options.get_host(), port)).ok()?;
        socket.set_nodelay(true).ok()?;
        Some(Self::Tcp(socket))
    }

    fn patience(&self, patience: Option<Duration>) -> Option<()> {
        match self {
            Self::Tcp(socket) => socket.set_read_timeout(patience).ok(),
            #[cfg(unix)]
            Self::Unix(socket) => socket.set_read_timeout(patience).ok(),
        }
    }
}

/// Whether the next connection may be one without encryption: so is this one, or it does not leave the machine.
///
/// # Errors
/// The session is lost.
pub(super) async fn is_plain(connection: &mut sqlx::PgConnection) -> Result<bool, sqlx::Error> {
    let sql = "select not s.ssl from pg_catalog.pg_stat_ssl s where s.pid = pg_catalog.pg_backend_pid()";
    Ok(sqlx::query_scalar(sql).fetch_optional(connection).await?.unwrap_or(false))
}

/// A password, where the options hold one and say it.
fn password(options: &PgConnectOptions) -> Option<String> {
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    // Options of other names cannot be written as a URL.
    if !plain(options.get_username()) || options.get_socket().is_none() && !plain(options.get_host()) {
        return None;
    }
    let url = options.to_url_lossy();
    percent_decode_str(url.password()?).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

impl Wire {
    /// A session that has carried out `begin`; none where this way is not open.
    pub(super) fn open(options: &PgConnectOptions, begin: &str) -> Option<Self> {
        let socket = Socket::open(options)?;
        socket.patience(Some(PATIENCE))?;
        let mut wire = Self { socket, buffer: vec![0; BUFFER], unread: 0..0 };
        let database = options.get_database().unwrap_or_else(|| options.get_username());
        let mut parameters = vec![
            ("user", options.get_username()),
            ("database", database),
            ("client_encoding", "UTF8"),
            ("application_name", "govctl"),
        ];
        parameters.extend(options.get_options().map(|given| ("options", given)));
        wire.send(|to| frontend::startup_message(parameters, to))?;
        wire.authenticate(options)?;
        wire.ready()?;
        wire.run(begin)?;
        wire.socket.patience(None)?;
        Some(wire)
    }

    fn send(&mut self, message: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> Option<()> {
        let mut bytes = BytesMut::new();
        message(&mut bytes).ok()?;
        self.socket.write_all(bytes.chunk()).ok()
    }

    /// The next message: its kind, and where its body is.
    fn receive(&mut self) -> Option<(u8, Range<usize>)> {
        loop {
            if let Some(head) = self.buffer[self.unread.clone()].first_chunk::<5>() {
                let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
                let (kind, end) = (head[0], self.unread.start.checked_add(length.max(4) + 1)?);
                if end <= self.unread.end {
                    let body = self.unread.start + 5..end;
                    self.unread.start = end;
                    return Some((kind, body));
                }
                self.make_room(end - self.unread.start);
            } else {
                self.make_room(BUFFER / 2);
            }
            let read = match self.socket.read(&mut self.buffer[self.unread.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.ok()?,
            };
            if read == 0 {
                return None;
            }
            self.unread.end += read;
        }
    }

    /// Space for a message of so many bytes behind what begins at `unread`.
    fn make_room(&mut self, needed: usize) {
        if self.unread.start + needed > self.buffer.len() || self.unread.end == self.buffer.len() {
            self.buffer.copy_within(self.unread.clone(), 0);
            self.unread = 0..self.unread.len();
            if needed > self.buffer.len() {
                self.buffer.resize(needed, 0);
            }
        }
    }

    fn authenticate(&mut self, options: &PgConnectOptions) -> Option<()> {
        let mut scram = None;
        loop {
            let (kind, body) = self.receive()?;
            let body = self.buffer.get(body)?.to_vec();
            if kind != b'R' {
                return None;
            }
            let (asked, rest) = body.split_first_chunk::<4>()?;
            let own = || password(options);
            match (u32::from_be_bytes(*asked), &mut scram) {
                (0, _) => return Some(()),
                (3, _) => self.send(|to| own().map_or(Ok(()), |own| frontend::password_message(own.as_bytes(), to)))?,
                (5, _) => {
                    let hashed = md5_hash(options.get_username().as_bytes(), own()?.as_bytes(), rest.try_into().ok()?);
                    self.send(|to| frontend::password_message(hashed.as_bytes(), to))?;
                }
                (10, none) if rest.split(|byte| *byte == 0).any(|name| name == SCRAM_SHA_256.as_bytes()) => {
                    let first = ScramSha256::new(own()?.as_bytes(), ChannelBinding::unsupported());
                    self.send(|to| frontend::sasl_initial_response(SCRAM_SHA_256, first.message(), to))?;
                    *none = Some(first);
                }
                (11, Some(going)) => {
                    going.update(rest).ok()?;
                    let next = going.message().to_vec();
                    self.send(|to| frontend::sasl_response(&next, to))?;
                }
                (12, Some(going)) => going.finish(rest).ok()?,
                _ => return None,
            }
        }
    }

    /// Reads up to where the server waits for a query; none where it reports an error.
    fn ready(&mut self) -> Option<()> {
        loop {
            match self.receive()?.0 {
                b'Z' => return Some(()),
                b'E' => return None,
                _ => {}
            }
        }
    }

    /// Carries out what gives no rows; none where the server refuses it.
    pub(super) fn run(&mut self, sql: &str) -> Option<()> {
        self.send(|to| frontend::query(sql, to))?;
        self.ready()
    }

    /// Shows every row of `COPY (query) TO STDOUT (FORMAT binary)` to `row`, which says whether to go on. Whether it came
    /// to the end; none where something went wrong. Unless it came to the end, the session is of no more use.
    pub(super) fn copy(&mut self, query: &str, mut row: impl FnMut(&[u8]) -> bool) -> Option<bool> {
        self.send(|to| frontend::query(&format!("copy ({query}) to stdout (format binary)"), to))?;
        let mut header = super::stream::HEADER;
        loop {
            let (kind, body) = self.receive()?;
            match kind {
                b'd' => {
                    let data = self.buffer.get(body)?.get(header..).unwrap_or_default();
                    header = 0;
                    // The trailer is a field count of -1.
                    if !data.is_empty() && !data.starts_with(&[0xff, 0xff]) && !row(data) {
                        return Some(false);
                    }
                }
                b'c' => {
                    self.ready()?;
                    return Some(true);
                }
                b'E' => return None,
                _ => {}
            }
        }
    }
}
