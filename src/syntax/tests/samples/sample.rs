//! Shapes, and what they measure.
//!
//! Nothing here is drawn.

use std::fmt;
use std::collections::{BTreeMap, BTreeSet};

/// The most sides that a shape has.
const MAX_SIDES: usize = 12;

/// A shape with a name.
///
/// It has at least three sides.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What it is called.
    pub name: String,
    sides: Vec<f64>,
}

pub enum Error {
    TooFew { sides: usize },
    Open,
}

pub trait Area {
    const UNIT: &'static str;
    type Output;

    /// Returns the area.
    fn area(&self) -> Self::Output;

    fn is_empty(&self) -> bool {
        let area = self.area();
        area == Self::Output::default()
    }
}

impl<T> Area for Shape
where
    T: Clone,
{
    /// Adds the sides up,
    /// which is no area at all, but will do for a sample of what a skeleton shows.
    #[must_use]
    fn area(
        &self,
    ) -> f64 {
        let sum: f64 = self.sides.iter().sum();
        sum / self.sides.len() as f64
    }
    fn one() -> u8 { 1 }
}

macro_rules! square {
    ($side:expr) => {
        $side * $side
    };
}

const TABLE: [(&str, usize); 6] = [
    ("triangle", 3),
    ("square", 4),
    ("pentagon", 5),
    ("hexagon", 6),
    ("heptagon", 7),
    ("octagon", 8),
];

mod inner {
    pub(super) fn depth() -> usize {
        let deeper = super::MAX_SIDES + 1;
        deeper
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_has_sides() {
        assert_eq!(inner::depth(), 13);
    }
}
