//! Which of the names that there are was likely meant by one that is none of them.

/// Names that are less alike were not meant, as a share of their letters.
const NEAR: f64 = 0.6;

/// A piece of a name says nothing if it is shorter.
const LEAST_PART: usize = 3;

/// Returns the name of `known` that is most like `said`, if one is like it, or has it in it.
pub fn nearest<'a>(said: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let said = said.to_lowercase();
    let likeness = |known: &&str| {
        let known = known.to_lowercase();
        let is_part = said.len() >= LEAST_PART && known.contains(&said);
        strsim::normalized_damerau_levenshtein(&known, &said) + f64::from(u8::from(is_part))
    };
    let near = known.into_iter().filter(|known| likeness(known) >= NEAR);
    near.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

/// Returns a question for it as a hint begins, with a space at its end; nothing where no name is near.
pub fn did_you_mean<'a>(said: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(said, known).map_or(String::new(), |name| format!("did you mean `{name}`? "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_is_most_alike_was_meant() {
        let known = ["planner", "plan", "reviewer", "research-implement-validate"];
        for (said, expected) in [
            ("planer", Some("planner")),
            ("REVIEWR", Some("reviewer")),
            ("research", Some("research-implement-validate")),
            ("pln", Some("plan")),
            ("re", None),
            ("executor", None),
            ("", None),
        ] {
            assert_eq!(nearest(said, known), expected, "{said}");
        }
        assert_eq!(did_you_mean("planer", known), "did you mean `planner`? ");
        assert_eq!(did_you_mean("executor", known), "");
    }
}
