//! Cells of tables in text: comma or tab between them, what they are called in the first line.

use std::ops::Range;

/// Returns the cells of the columns whose names are wanted, with these names, if `path` is that of a table.
pub(super) fn cells<'a>(
    path: &str,
    text: &'a str,
    is_wanted: impl Fn(&str) -> bool,
) -> Vec<(&'a str, Range<usize>)> {
    let separator = match path.rsplit_once('.') {
        Some((_, "csv")) => b',',
        Some((_, "tsv")) => b'\t',
        _ => return Vec::new(),
    };
    let mut lines = text.split_inclusive('\n');
    let header = lines.next().unwrap_or_default();
    let names = split(header.trim_end(), separator).map(|cell| &header[cell]);
    let wanted: Vec<_> = names
        .enumerate()
        .filter(|(_, name)| is_wanted(name))
        .collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut start = header.len();
    for line in lines {
        let row: Vec<_> = split(line.trim_end(), separator).collect();
        for &(column, name) in &wanted {
            let is_value = |cell: &&Range<usize>| {
                let cell = &line[(*cell).clone()];
                !cell.is_empty() && !cell.contains('"')
            };
            let cell = row.get(column).filter(is_value);
            found.extend(cell.map(|cell| (name, start + cell.start..start + cell.end)));
        }
        start += line.len();
    }
    found
}

/// Splits a line into its cells, without the quotes round them.
fn split(line: &str, separator: u8) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let mut is_quoted = false;
        let length = line.as_bytes()[start..].iter().position(|&byte| {
            is_quoted ^= byte == b'"';
            byte == separator && !is_quoted
        });
        let end = length.map_or(line.len(), |length| start + length);
        next = length.map(|_| end + 1);
        let cell = line[start..end].trim_end_matches('"');
        let lead = cell.len() - cell.trim_start_matches('"').len();
        Some(start + lead..start + cell.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_names_of_their_columns() {
        for (path, text, expected) in [
            ("a.csv", "id,b\n1,x\n", vec![("b", "x")]),
            (
                "a.csv",
                "b,id,b2\r\n\"x,y\",,z\r\n",
                vec![("b", "x,y"), ("b2", "z")],
            ),
            ("a.csv", "a,b\n1\n1,,3\n\n1,2", vec![("b", "2")]),
            ("a.csv", "b\n\"\n\"\"\na\"b\n\"é\"", vec![("b", "é")]),
            ("a.tsv", "a\tb\n1\t2", vec![("b", "2")]),
            ("a.csv", "", vec![]),
            ("a.txt", "a,b\n1,2", vec![]),
        ] {
            let cells = cells(path, text, |name| name.starts_with('b'));
            let cells: Vec<_> = cells
                .into_iter()
                .map(|(name, cell)| (name, &text[cell]))
                .collect();
            assert_eq!(cells, expected, "{text}");
        }
    }
}
