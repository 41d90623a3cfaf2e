//! Which person a number stands for.

use std::sync::Arc;

use super::PersonId;

/// Persons in a page: a change copies one page at most.
const PAGE: usize = 256;
/// Pages in a group: publishing copies a pointer for each group, not for each page.
const GROUP: usize = 256;

/// Person ids by number, four bytes a person beside the text of the id.
///
/// Copy on write: cloning copies one pointer for 65,536 numbers, and a change then copies one group of
/// pointers and one page.
#[derive(Clone, Default)]
pub(super) struct Directory {
    groups: Vec<Arc<Vec<Arc<Page>>>>,
    len: usize,
}

/// Texts one behind the other. An empty one means that the number is not in use: ids are not empty.
#[derive(Clone, Default)]
struct Page {
    ends: Vec<u32>,
    text: String,
}

impl Directory {
    /// How many numbers are in use.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The person that has this number.
    pub fn get(&self, number: u32) -> Option<PersonId> {
        let (group, page, place) = split(number);
        let text = self.groups.get(group)?.get(page)?.get(place);
        (!text.is_empty()).then(|| PersonId::from(text))
    }

    /// The number that a person has. Looks at all of them.
    pub fn number_of(&self, person: &str) -> Option<u32> {
        self.iter().find(|(_, id)| *id == person).map(|(number, _)| number)
    }

    /// Gives a number to a person, or takes it back.
    pub fn set(&mut self, number: u32, person: Option<&PersonId>) {
        let (group, page, place) = split(number);
        let text = person.map_or("", PersonId::as_str);
        let groups = &mut self.groups;
        if group >= groups.len() {
            groups.resize_with(group + 1, Arc::default);
        }
        let pages = Arc::make_mut(&mut groups[group]);
        if page >= pages.len() {
            pages.resize_with(page + 1, Arc::default);
        }
        let page = Arc::make_mut(&mut pages[page]);
        self.len -= usize::from(!page.get(place).is_empty());
        self.len += usize::from(!text.is_empty());
        page.set(place, text);
    }

    /// Every number in use with its person, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &str)> {
        self.groups.iter().enumerate().flat_map(|(group, pages)| {
            pages.iter().enumerate().flat_map(move |(page, texts)| {
                let first = (group * GROUP + page) * PAGE;
                let texts = (0..texts.ends.len()).map(move |place| ((first + place) as u32, texts.get(place)));
                texts.filter(|(_, text)| !text.is_empty())
            })
        })
    }

    /// Bytes of memory in use.
    pub fn bytes(&self) -> usize {
        let pages = self.groups.iter().flat_map(|pages| pages.iter());
        pages.map(|page| size_of::<Page>() + page.ends.capacity() * 4 + page.text.capacity()).sum()
    }
}

impl Page {
    fn get(&self, place: usize) -> &str {
        let Some(&end) = self.ends.get(place) else { return "" };
        &self.text[self.start(place)..end as usize]
    }

    fn start(&self, place: usize) -> usize {
        place.checked_sub(1).map_or(0, |before| self.ends[before] as usize)
    }

    fn set(&mut self, place: usize, text: &str) {
        if place >= self.ends.len() {
            self.ends.resize(place + 1, self.text.len() as u32);
        }
        let (start, end) = (self.start(place), self.ends[place] as usize);
        self.text.replace_range(start..end, text);
        // A page of ids of 512 bytes has 128 KiB.
        let (old, new) = ((end - start) as u32, text.len() as u32);
        for end in &mut self.ends[place..] {
            *end = *end - old + new;
        }
    }
}

fn split(number: u32) -> (usize, usize, usize) {
    let number = number as usize;
    (number / (PAGE * GROUP), number / PAGE % GROUP, number % PAGE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::gallery::tests::Random;

    #[test]
    fn it_agrees_with_a_map_and_clones_stay_as_they_were() {
        let (mut directory, mut map) = (Directory::default(), BTreeMap::new());
        let mut random = Random(7);
        let mut before = (directory.clone(), map.clone());
        for step in 0..20_000 {
            let number = [random.below(600), random.below(3) * 65_536 + 65_000][random.below(2)] as u32;
            let person = (random.below(3) > 0).then(|| PersonId::from("é".repeat(1 + random.below(9))));
            directory.set(number, person.as_ref());
            match person {
                Some(person) => drop(map.insert(number, person)),
                None => drop(map.remove(&number)),
            }
            assert_eq!(directory.get(number), map.get(&number).cloned());
            if step % 1000 == 0 {
                for (directory, map) in [&before, &(directory.clone(), map.clone())] {
                    assert_eq!(directory.len(), map.len());
                    assert!(directory.iter().eq(map.iter().map(|(number, person)| (*number, person.as_str()))));
                }
                before = (directory.clone(), map.clone());
            }
        }
        assert_eq!(directory.get(u32::MAX), None);
    }
}
