//! What of a source file's outline says how it is shortened; small enough to be remembered.

use crate::path::RepoPath;
use crate::syntax::{self, Language, Lines, Outline, Unparsed};
use crate::text_cache::TextCache;

/// How a source file is shortened. What has no outline has no lines here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The lines of its skeleton.
    pub(super) skeleton: Vec<Lines>,
    /// The items that say in what a line is: where each begins, and the lines inside.
    items: Vec<(usize, Lines)>,
}

impl Shape {
    /// Returns the shape of the text at `path`; none if it has no outline, or one of no lines.
    pub(super) fn of(path: &RepoPath, text: &str, cache: &TextCache) -> Option<Self> {
        let language = Language::of(path.as_bytes(), text)?;
        let topic = format!("shape {language:?}");
        let known = |bytes: &[u8]| read(bytes).map(Ok);
        let written = |shape: &Result<Self, Unparsed>| match shape {
            Ok(shape) => Some(write(shape)),
            // The text alone does not say so.
            Err(Unparsed::TooSlow) => None,
            Err(_) => Some(write(&Self::default())),
        };
        let shape = cache.recall(&topic, text, known, written, || {
            syntax::outline(language, text).map(Self::from)
        });
        shape.ok().filter(|shape| !shape.skeleton.is_empty())
    }

    /// Returns the lines that say in what a line is: the signatures round it.
    pub(super) fn headings(&self, line: usize) -> Vec<Lines> {
        let round = self.items.iter().filter(|(_, body)| body.contains(&line));
        let each = round.flat_map(|(start, body)| {
            self.skeleton.iter().filter_map(move |lines| {
                let first = *start.max(lines.start());
                let last = (body.start() - 1).min(*lines.end());
                (first <= last).then_some(first..=last)
            })
        });
        each.collect()
    }
}

impl From<Outline> for Shape {
    fn from(outline: Outline) -> Self {
        let items = outline.items.into_iter();
        let items = items.filter_map(|item| Some((*item.lines.start(), item.body?)));
        Self {
            items: items.collect(),
            skeleton: outline.skeleton,
        }
    }
}

/// Writes a shape as numbers: how many ranges its skeleton has, those, and the items.
fn write(shape: &Shape) -> Vec<u8> {
    let skeleton = shape.skeleton.iter();
    let items = shape.items.iter();
    let numbers = [shape.skeleton.len()]
        .into_iter()
        .chain(skeleton.flat_map(|lines| [*lines.start(), *lines.end()]))
        .chain(items.flat_map(|(start, body)| [*start, *body.start(), *body.end()]));
    // A text that is parsed has no more lines than that.
    let numbers = numbers.map(|number| u32::try_from(number).unwrap_or(u32::MAX));
    numbers.flat_map(u32::to_le_bytes).collect()
}

/// Reads what [`write()`] wrote; none if that makes no sense.
fn read(bytes: &[u8]) -> Option<Shape> {
    let (numbers, []) = bytes.as_chunks() else {
        return None;
    };
    let numbers = numbers
        .iter()
        .map(|bytes| usize::try_from(u32::from_le_bytes(*bytes)));
    let numbers: Vec<usize> = numbers.collect::<Result<_, _>>().ok()?;
    let (n_ranges, numbers) = numbers.split_first()?;
    let (skeleton, items) = numbers.split_at_checked(n_ranges.checked_mul(2)?)?;
    let (items, []) = items.as_chunks() else {
        return None;
    };
    let are_lines = numbers.iter().all(|&number| number > 0);
    let skeleton = skeleton.as_chunks().0.iter();
    let items = items.iter();
    are_lines.then(|| Shape {
        skeleton: skeleton.map(|&[first, last]| first..=last).collect(),
        items: items
            .map(|&[start, first, last]| (start, first..=last))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_shape_is_that_of_the_outline() {
        let text = "import os\n\n\nclass A:\n    def f(self):\n        one()\n        two()\n";
        let path = RepoPath::parse(b"a.py").unwrap();
        let shape = Shape::of(&path, text, &TextCache::default()).unwrap();
        assert_eq!(shape.skeleton, [1..=1, 4..=5]);
        assert_eq!(shape.headings(7), [4..=4, 5..=5]);
        assert_eq!(shape.headings(1), []);
        for (path, text) in [("a.unknown", text), ("a.py", "(((")] {
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            assert_eq!(Shape::of(&path, text, &TextCache::default()), None);
        }
    }

    proptest! {
        #[test]
        fn a_shape_comes_back_as_it_was(
            skeleton in prop::collection::vec((1..99_usize, 1..99_usize), 0..9),
            items in prop::collection::vec((1..99_usize, 1..99_usize, 1..99_usize), 0..9),
        ) {
            let shape = Shape {
                skeleton: skeleton.into_iter().map(|(first, last)| first..=last).collect(),
                items: items.into_iter().map(|(start, first, last)| (start, first..=last)).collect(),
            };
            let bytes = write(&shape);
            prop_assert_eq!(read(&bytes), Some(shape));
            prop_assert_eq!(read(&[bytes, vec![1]].concat()), None);
        }

        #[test]
        fn no_bytes_are_taken_for_lines_that_are_none(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Some(shape) = read(&bytes) {
                prop_assert!(shape.skeleton.iter().all(|lines| *lines.start() > 0));
                shape.headings(1);
            }
        }
    }
}
