//! JSON as it was asked for: a schema, and the value in an answer that is as it says.
//!
//! In: a JSON Schema, an answer in whatever words. Out: the value in it, or what is wrong with it. Pure; the only user of
//! `jsonschema`.
//!
//! Invariant: nothing but the schema itself is read, whatever it refers to.

mod values;

use std::fmt;

use jsonschema::Validator;
use serde_json::Value;

/// What a value must be like.
pub struct Schema {
    /// As it was written.
    pub text: String,
    validator: Validator,
}

/// A text that is no schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// It cannot be read.
    #[error("it is no JSON")]
    Json(#[from] serde_json::Error),
    /// It has no meaning, or needs what is elsewhere.
    #[error("it is no JSON Schema that can be used: {0}")]
    Meaning(String),
}

/// Why there is no value in an answer: each thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit(pub Vec<String>);

/// No more of what is wrong is told.
const MOST_ERRORS: usize = 20;

/// Nothing that is wrong is told with more characters; values that are large stand in it.
const MOST_CHARS: usize = 300;

impl Schema {
    /// Reads a schema, of any draft; what it refers to must be in it.
    ///
    /// # Errors
    ///
    /// Fails on what is no JSON, or no schema.
    pub fn parse(text: &str) -> Result<Self, SchemaError> {
        let schema: Value = serde_json::from_str(text)?;
        let options = jsonschema::options().offline();
        let validator = options
            .build(&schema)
            .map_err(|error| SchemaError::Meaning(place(&error)))?;
        Ok(Self {
            text: text.trim().to_owned(),
            validator,
        })
    }

    /// Returns the first value in `answer` that is as the schema says.
    ///
    /// # Errors
    ///
    /// Fails with what is wrong with the first value, if there is no such.
    pub fn find(&self, answer: &str) -> Result<Value, Misfit> {
        let mut values = values::values(answer);
        if let Some(n) = values.iter().position(|it| self.validator.is_valid(it)) {
            return Ok(values.swap_remove(n));
        }
        let Some(first) = values.first() else {
            return Err(Misfit(vec!["there is no whole JSON value in it".into()]));
        };
        let errors = self.validator.iter_errors(first).take(MOST_ERRORS);
        Err(Misfit(errors.map(|error| place(&error)).collect()))
    }
}

/// Returns what is wrong, and where.
fn place(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    let text = if place.is_empty() {
        error.to_string()
    } else {
        format!("at `{place}`: {error}")
    };
    match text.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((first, rest)) = self.0.split_first() else {
            return Ok(());
        };
        f.write_str(first)?;
        match rest.len() {
            0 => Ok(()),
            n => write!(f, " (and {n} more)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ISSUES: &str = r#"{
        "type": "array",
        "items": {
            "type": "object",
            "required": ["line"],
            "properties": { "line": { "type": "integer" } }
        }
    }"#;

    #[test]
    fn the_first_value_that_is_as_the_schema_says_is_found() {
        let schema = Schema::parse(ISSUES).unwrap();
        let none = "there is no whole JSON value in it";
        for (answer, expected) in [
            (r#"[{"line": 1}]"#, Ok(json!([{ "line": 1 }]))),
            (
                "As [1] says:\n```json\n[{\"line\": 2}]\n```\n",
                Ok(json!([{ "line": 2 }])),
            ),
            ("As [1] says: [{\"line\": 3}].", Ok(json!([{ "line": 3 }]))),
            ("There are none: []", Ok(json!([]))),
            ("", Err(none.to_owned())),
            ("I cannot say.", Err(none.to_owned())),
            ("[{\"line\": 1}", Err(none.to_owned())),
            (
                r#"[{"line": "x"}, {}]"#,
                Err("at `/0/line`: \"x\" is not of type \"integer\" (and 1 more)".to_owned()),
            ),
        ] {
            let found = schema.find(answer).map_err(|misfit| misfit.to_string());
            assert_eq!(found, expected, "{answer}");
        }
        let long = json!(["x".repeat(1000)]).to_string();
        let misfit = schema.find(&long).unwrap_err();
        assert_eq!(misfit.0[0].chars().count(), MOST_CHARS + 3);
    }

    #[test]
    fn a_schema_stands_by_itself() {
        for (text, said) in [
            ("{", "it is no JSON"),
            ("7", "it is no JSON Schema that can be used"),
            (r#"{"type": "text"}"#, "at `/type`"),
            (
                r#"{"$ref": "https://example.com/schema.json"}"#,
                "example.com",
            ),
            (r#"{"$ref": "file:///etc/passwd"}"#, "/etc/passwd"),
            (r##"{"$ref": "#/definitions/none"}"##, "definitions"),
        ] {
            let error = Schema::parse(text).err().unwrap().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        let own = r##"{"$ref": "#/$defs/n", "$defs": {"n": {"type": "integer"}}}"##;
        let schema = Schema::parse(own).unwrap();
        assert_eq!(schema.find("It is:\n7\n"), Ok(json!(7)));
        assert!(schema.find("7.5").is_err());
    }
}
