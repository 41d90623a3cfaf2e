//! Keys: their parts one after the other, numbers big endian.

/// `(namespace)`: what the keys of Persons, Numbers and Owned begin with.
pub(super) fn namespace(namespace: u32) -> [u8; 4] {
    namespace.to_be_bytes()
}

/// `(namespace, person)`: a key of Numbers; what the keys of Owned begin with.
pub(super) fn number(namespace: u32, person: u32) -> [u8; 8] {
    ((u64::from(namespace) << 32) | u64::from(person)).to_be_bytes()
}

/// `(namespace, id)`: a key of Persons.
pub(super) fn person(namespace: u32, id: &str) -> Vec<u8> {
    [&namespace.to_be_bytes(), id.as_bytes()].concat()
}

/// A key of Faces.
pub(super) fn face(id: u64) -> [u8; 8] {
    id.to_be_bytes()
}

/// `(namespace, person, hash)`: what the keys of Owned begin with.
pub(super) fn vector(namespace: u32, person: u32, hash: u128) -> Vec<u8> {
    [&number(namespace, person)[..], &hash.to_be_bytes()].concat()
}

/// A key of Owned.
pub(super) fn owned(namespace: u32, person: u32, hash: u128, face: u64) -> Vec<u8> {
    [&number(namespace, person)[..], &hash.to_be_bytes(), &face.to_be_bytes()].concat()
}

/// The person and the face of a key of Owned.
pub(super) fn owner_and_face(key: &[u8]) -> Option<(u32, u64)> {
    let key: &[u8; 32] = key.try_into().ok()?;
    let (person, face) = (key[4..].first_chunk()?, key.last_chunk()?);
    Some((u32::from_be_bytes(*person), u64::from_be_bytes(*face)))
}

/// A key of Log.
pub(super) fn log(sequence: u64, namespace: u32) -> Vec<u8> {
    [&sequence.to_be_bytes()[..], &namespace.to_be_bytes()].concat()
}

/// The first key after all that begin with `prefix`; `None` if there can be none.
pub(super) fn after(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte < u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_their_numbers() {
        let sorted = |keys: &[Vec<u8>]| keys.is_sorted_by(|a, b| a < b);
        assert!(sorted(&[1, 255, 256, u64::MAX].map(|id| face(id).to_vec())));
        assert!(sorted(&[(1, u32::MAX), (2, 0), (2, 256)].map(|(space, person)| number(space, person).to_vec())));
        assert!(sorted(&[log(1, 9), log(2, 1), log(256, 0)]));
    }

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(after(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(after(&[1, 255]), Some(vec![2]));
        assert_eq!(after(&[255, 255]), None);
        assert_eq!(after(&[]), None);
    }

    #[test]
    fn owner_and_face_are_read_back() {
        assert_eq!(owner_and_face(&owned(1, 2, 3, 4)), Some((2, 4)));
        assert_eq!(owner_and_face(&owned(1, 2, 3, 4)[1..]), None);
    }
}
