//! Which lines of a Markdown text are code.

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// Markdown.
    Text(&'a str),
    /// The beginning of a fence, with what stands after the marks.
    Open(&'a str),
    /// In a fence.
    Code(&'a str),
    /// The end of a fence.
    Close,
}

/// The marks that open or close a fence.
#[derive(Clone, Copy)]
struct Marks<'a> {
    mark: char,
    length: usize,
    info: &'a str,
}

/// Returns what each line of `text` is.
///
/// A fence that nothing closes is text: one lost mark does not hide the rest of a plan.
pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let texts: Vec<&str> = text.lines().collect();
    let longest_after = longest_closing_marks(&texts);
    let mut open: Option<Marks> = None;
    // Fences within a Markdown fence: models forget to make the outer one longer.
    let mut n_inner = 0;
    let mut lines = Vec::with_capacity(texts.len());
    for (at, &line) in texts.iter().enumerate() {
        let marks = marks_of(line);
        lines.push(match (open, marks) {
            (None, Some(marks)) if marks.length <= longest_after[at + 1][slot(marks.mark)] => {
                open = Some(marks);
                Line::Open(marks.info)
            }
            (None, _) => Line::Text(line),
            (Some(outer), Some(marks)) if marks.mark == outer.mark => {
                let closes = marks.info.is_empty() && marks.length >= outer.length;
                if closes && n_inner == 0 {
                    open = None;
                    Line::Close
                } else {
                    if closes {
                        n_inner -= 1;
                    } else if is_markdown(outer.info)
                        && !marks.info.is_empty()
                        && marks.length >= outer.length
                    {
                        n_inner += 1;
                    }
                    Line::Code(line)
                }
            }
            (Some(_), _) => Line::Code(line),
        });
    }
    lines
}

/// Says whether the info string of a fence names Markdown.
pub(super) fn is_markdown(info: &str) -> bool {
    matches!(info.to_ascii_lowercase().as_str(), "markdown" | "md")
}

fn marks_of(line: &str) -> Option<Marks<'_>> {
    let line = line.trim();
    let mark = line.chars().next().filter(|mark| "`~".contains(*mark))?;
    let info = line.trim_start_matches(mark);
    let length = line.len() - info.len();
    let is_fence = length >= 3 && !(mark == '`' && info.contains('`'));
    is_fence.then_some(Marks {
        mark,
        length,
        info: info.trim(),
    })
}

fn slot(mark: char) -> usize {
    usize::from(mark == '~')
}

/// Returns for each line the most marks, of both kinds, that a fence at it or after it is closed with.
fn longest_closing_marks(lines: &[&str]) -> Vec<[usize; 2]> {
    let mut longest = vec![[0, 0]; lines.len() + 1];
    for at in (0..lines.len()).rev() {
        longest[at] = longest[at + 1];
        if let Some(marks) = marks_of(lines[at])
            && marks.info.is_empty()
        {
            let slot = slot(marks.mark);
            longest[at][slot] = longest[at][slot].max(marks.length);
        }
    }
    longest
}
