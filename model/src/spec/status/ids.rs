//! Which spellings of an id mean the same.

use alloc::string::String;

/// The one spelling of an id where ids are numbers, with dots between them or not; any other id as it stands.
#[must_use]
pub fn canonical(id: &str) -> String {
    let mut out = String::new();
    // Whether a digit other than a leading zero was seen since the last dot, and how many digits.
    let (mut begun, mut digits) = (false, 0);
    for (index, byte) in id.bytes().enumerate() {
        let next = id.as_bytes().get(index + 1);
        match byte {
            b'0' if !begun && matches!(next, Some(b'0'..=b'9')) => digits += 1,
            b'0'..=b'9' => {
                (begun, digits) = (true, digits + 1);
                out.push(char::from(byte));
            }
            b'.' if digits > 0 && next.is_some() => {
                (begun, digits) = (false, 0);
                out.push('.');
            }
            _ => return String::from(id),
        }
    }
    if digits == 0 { String::from(id) } else { out }
}
