//! From the bytes of a file to its text: encoding, byte order mark, `sep=` line, lines before the header.

use std::borrow::Cow;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Deserialize, Serialize};

use crate::data::TableNotice;
use crate::error::{Error, ErrorKind, Result};

/// The encoding of a text file.
///
/// A byte order mark at the beginning of a file says which of the first three it has; Windows-1252 has none,
/// so it has to be declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-16, the low byte first: "Unicode text" of Excel on Windows.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
    /// Windows-1252, the "ANSI" of western European Windows, and with it Latin-1.
    Windows1252,
}

/// The text of a file after its first lines.
pub(super) struct Text<'a> {
    pub bytes: Cow<'a, [u8]>,
    /// The number of lines before `bytes`.
    pub lines: usize,
    /// The delimiter that a `sep=` line names.
    pub delimiter: Option<u8>,
    pub notices: Vec<TableNotice>,
}

/// What a reader declares about the text of a file.
pub(super) struct Declared<'a> {
    pub encoding: Option<Encoding>,
    pub skip_lines: usize,
    /// The words for the file in an error.
    pub what: &'a str,
}

impl<'a> Text<'a> {
    pub(super) fn new(bytes: Cow<'a, [u8]>, declared: &Declared<'_>) -> Result<Self> {
        let mut text =
            Self { bytes: decode(bytes, declared)?, lines: 0, delimiter: None, notices: Vec::new() };
        if text.bytes.trim_ascii_end().last() == Some(&0x1a) {
            let length = text.bytes.trim_ascii_end().len() - 1;
            match &mut text.bytes {
                Cow::Borrowed(bytes) => *bytes = &bytes[..length],
                Cow::Owned(bytes) => bytes.truncate(length),
            }
            text.notices.push(TableNotice::EndMark);
        }
        let first = text.line_end(0);
        if let Some(delimiter) = separator(text.bytes[..first].trim_ascii()) {
            text.delimiter = Some(delimiter);
            text.skip(first);
        }
        for _ in 0..declared.skip_lines {
            text.skip(text.line_end(0));
        }
        Ok(text)
    }

    /// The end of the line that begins at `start`, its line break included.
    fn line_end(&self, start: usize) -> usize {
        let rest = &self.bytes[start..];
        match rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            None => self.bytes.len(),
            Some(at) => start + at + if rest[at..].starts_with(b"\r\n") { 2 } else { 1 },
        }
    }

    fn skip(&mut self, end: usize) {
        self.lines += usize::from(end > 0);
        without_start(&mut self.bytes, end);
    }
}

fn without_start(bytes: &mut Cow<'_, [u8]>, length: usize) {
    match bytes {
        Cow::Borrowed(bytes) => *bytes = &bytes[length..],
        Cow::Owned(bytes) => drop(bytes.drain(..length)),
    }
}

/// The delimiter of a line such as `sep=;`, which Excel writes and reads.
fn separator(line: &[u8]) -> Option<u8> {
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        // A tab was trimmed away.
        [s, e, p, b'='] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" => Some(b'\t'),
        [s, e, p, b'=', delimiter] if [s, e, p].map(u8::to_ascii_lowercase) == *b"sep" => Some(*delimiter),
        _ => None,
    }
}

/// The bytes as UTF-8 without a byte order mark. Bytes that are not UTF-8 stay: the cell that holds them is
/// named later.
fn decode<'a>(mut bytes: Cow<'a, [u8]>, declared: &Declared<'_>) -> Result<Cow<'a, [u8]>> {
    let (mark, length) = match &bytes[..] {
        [0xef, 0xbb, 0xbf, ..] => (Some(Encoding::Utf8), 3),
        [0xff, 0xfe, ..] => (Some(Encoding::Utf16Le), 2),
        [0xfe, 0xff, ..] => (Some(Encoding::Utf16Be), 2),
        _ => (None, 0),
    };
    let encoding = match (declared.encoding, mark) {
        (Some(declared), Some(mark)) if declared != mark => {
            return Err(Error::invalid(format!(
                "Encoding::{declared:?} is declared, but the byte order mark of the file says Encoding::{mark:?}; leave encoding(..) out"
            )));
        }
        (declared, mark) => mark.or(declared),
    };
    match encoding {
        Some(Encoding::Utf16Le | Encoding::Utf16Be) => {
            let codec = if encoding == Some(Encoding::Utf16Le) { UTF_16LE } else { UTF_16BE };
            let text = codec.decode_without_bom_handling_and_without_replacement(&bytes[length..]);
            let text = text.ok_or_else(|| {
                let why = format!(
                    "{} is not text in UTF-16; check that the file is whole, or declare its encoding",
                    declared.what
                );
                Error::from(ErrorKind::Format(why))
            })?;
            Ok(Cow::Owned(text.into_owned().into_bytes()))
        }
        Some(Encoding::Windows1252) => Ok(Cow::Owned(windows_1252(&bytes).into_bytes())),
        Some(Encoding::Utf8) | None => {
            let start = &bytes[..bytes.len().min(64)];
            let zeros =
                |parity: usize| start.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
            if declared.encoding.is_none() && mark.is_none() && 3 * (zeros(0) + zeros(1)) > start.len() {
                let encoding = if zeros(1) > zeros(0) { Encoding::Utf16Le } else { Encoding::Utf16Be };
                return Err(ErrorKind::Format(format!(
                    "{} holds zero bytes, as text in UTF-16 does; declare .encoding(Encoding::{encoding:?}), or save it as CSV in UTF-8",
                    declared.what
                ))
                .into());
            }
            without_start(&mut bytes, length);
            Ok(bytes)
        }
    }
}

/// Bytes read as Windows-1252, in which every byte is a character.
pub(super) fn windows_1252(bytes: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
}
