//! Server-sent events: the data of each, as their bytes come.

use crate::agent::protocol::Cutter;

/// What was read so far.
#[derive(Default)]
pub(super) struct Events {
    lines: Cutter,
    data: Data,
}

#[derive(Default)]
struct Data(Option<Vec<u8>>);

/// No event is longer.
const MAX_EVENT_BYTES: usize = 64 << 20;

/// What stands for the data of one that is.
const TOO_LONG: &[u8] = b"too long";

impl Events {
    /// Takes bytes; calls `event` with the data of each event that is whole.
    pub(super) fn take(&mut self, bytes: &[u8], event: &mut dyn FnMut(&[u8])) {
        let data = &mut self.data;
        self.lines.take(bytes, &mut |line| data.line(line, event));
    }

    /// Takes the end: a last event may lack the empty line.
    pub(super) fn end(&mut self, event: &mut dyn FnMut(&[u8])) {
        let data = &mut self.data;
        self.lines.end(&mut |line| data.line(line, event));
        data.line(Some(b""), event);
    }
}

impl Data {
    /// Takes a line; one that is too long to be held is data that nobody can read.
    fn line(&mut self, line: Option<&[u8]>, event: &mut dyn FnMut(&[u8])) {
        let line = line.unwrap_or(b"data:too long");
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(more) = line.strip_prefix(b"data:") {
            let more = more.strip_prefix(b" ").unwrap_or(more);
            match &mut self.0 {
                Some(data) if data == TOO_LONG || data.len() + more.len() > MAX_EVENT_BYTES => {
                    TOO_LONG.clone_into(data);
                }
                Some(data) => data.extend([b"\n", more].concat()),
                None => self.0 = Some(more.to_owned()),
            }
        } else if line.is_empty()
            && let Some(data) = self.0.take()
        {
            event(&data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_gives_its_data_however_it_is_cut() {
        for (stream, expected) in [
            ("data: a\n\ndata:b\n\n", &["a", "b"][..]),
            (
                "data: a\r\n\r\n: comment\r\nevent: x\r\nid: 1\r\ndata: b\r\n\r\n",
                &["a", "b"],
            ),
            ("data: {\ndata: }\n\n", &["{\n}"]),
            ("event: ping\n\n\n\n", &[]),
            ("data: a\n\ndata: [DONE]", &["a", "[DONE]"]),
            ("<html>data: a</html>\n", &[]),
        ] {
            for size in 1..=stream.len() {
                let mut events = Events::default();
                let mut found = Vec::new();
                let mut event =
                    |data: &[u8]| found.push(String::from_utf8_lossy(data).into_owned());
                for bytes in stream.as_bytes().chunks(size) {
                    events.take(bytes, &mut event);
                }
                events.end(&mut event);
                assert_eq!(found, expected, "{stream} {size}");
            }
        }
    }

    #[test]
    fn a_line_without_end_is_not_held() {
        let mut events = Events::default();
        let mut found = Vec::new();
        let mut event = |data: &[u8]| found.push(data.to_owned());
        events.take(b"data: ", &mut event);
        for _ in 0..65 {
            events.take(&vec![b'x'; 1 << 20], &mut event);
        }
        events.take(b"\n\ndata: b\n\n", &mut event);
        let line = [b"data: ", vec![b'x'; 30 << 20].as_slice(), b"\n"].concat();
        for _ in 0..3 {
            events.take(&line, &mut event);
        }
        events.take(b"\ndata: c\n\n", &mut event);
        assert_eq!(found, [TOO_LONG, b"b", TOO_LONG, b"c"]);
    }
}
