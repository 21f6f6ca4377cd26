//! What a sentence says of a path after it.

use super::clause::ends_sentence;
use super::inline::Piece;
use super::verb::{self, Verb, verb};

/// How many words may stand between two paths of which the same is said, after what joins them.
const MAX_WORDS_BETWEEN: usize = 3;

/// How many words are looked at.
const MAX_WORDS: usize = 16;

/// Returns the first verb after a path, before the next path or the end of the sentence.
///
/// The verb is said of the path itself (`true`) where it stands alone, as in `(new)`, or passive, as in `will be created`.
/// What is said of several paths is said of each, as in `a.rs and b.rs are removed`.
pub(super) fn verb_of(after: &[Piece]) -> Option<(Verb, bool)> {
    let mut is_alone = true;
    let mut is_passive = false;
    // How many words more may stand before the next path of several: as in `a.rs and the old b.rs`.
    let mut n_words_left = 1;
    let mut is_second = false;
    let mut is_determined = false;
    let mut was_negation = false;
    for (at, piece) in after.iter().enumerate().take(MAX_WORDS) {
        let word = match piece {
            Piece::Word(word) => *word,
            Piece::Cell => {
                n_words_left = 0;
                continue;
            }
            Piece::Code(_) if n_words_left > 0 && at > 0 => {
                is_second = true;
                continue;
            }
            Piece::Code(code) if !code.contains(['/', '.']) => {
                is_alone = false;
                continue;
            }
            Piece::Code(_) | Piece::Link(_) | Piece::Quoted(_) => return None,
        };
        if word.contains('/') && !word.ends_with('/') || is_second && word.starts_with('(') {
            return None;
        }
        let next = after.get(at + 1);
        let next_word = match next {
            Some(Piece::Word(next)) => Some(*next),
            _ => None,
        };
        if is_alone && verb::is_done_by_path(word, next_word) {
            return Some((Verb::Change, false));
        }
        let lower = word.to_lowercase();
        let is_negated = std::mem::replace(&mut was_negation, verb::negates(&lower));
        // As in `includes the generated header`.
        let is_noun = std::mem::replace(&mut is_determined, verb::determines(&lower))
            && verb::is_participle(word);
        if let Some(verb) = verb(word).filter(|verb| *verb != Verb::Tell && !is_noun) {
            let is_last = match next {
                None | Some(Piece::Cell) => true,
                Some(Piece::Word(next)) => verb::is_file_word(next),
                _ => false,
            };
            let is_closed = word.ends_with([')', ',', ']', '.', ';', ':', '*', '_', '\u{ff09}']);
            // As in `update b.rs`: said of the next path.
            if !is_closed && matches!(next, Some(Piece::Code(code)) if code.contains(['/', '.'])) {
                return None;
            }
            if is_negated {
                return Some((Verb::See, false));
            }
            let is_inside = word.starts_with(verb::INSIDE);
            let is_said = is_alone && !is_inside && !is_second && (is_last || is_closed);
            return Some((verb, is_said || is_passive && verb::is_participle(word)));
        }
        is_passive = verb::is_passive(&lower) || is_passive && lower == "newly";
        n_words_left = if is_joint(&lower) {
            MAX_WORDS_BETWEEN
        } else {
            n_words_left.saturating_sub(1)
        };
        is_alone &= !word.contains(char::is_alphanumeric) || is_joint(&lower);
        if let (Some(verb), Some(Piece::Cell) | None) = (verb::letter_action(word), next)
            && at > 0
            && after[at - 1] == Piece::Cell
        {
            return Some((verb, true));
        }
        if ends_sentence(word) {
            return None;
        }
    }
    None
}

/// Says whether a word joins paths of which the same is said.
fn is_joint(lower: &str) -> bool {
    matches!(
        lower,
        "and" | "or" | "und" | "oder" | "both" | "," | "\u{3001}" | "\u{548c}"
    )
}
