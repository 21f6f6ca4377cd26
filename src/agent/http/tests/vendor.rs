//! A vendor on this machine, which answers every request as it was told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What listens until the tests end.
pub(crate) struct Vendor {
    /// Where.
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Vendor {
    /// Answers each request with `answer`, after `delay`, and closes.
    pub(crate) fn new(delay: Duration, answer: Vec<u8>) -> Self {
        Self::answering(delay, vec![answer])
    }

    /// Answers each request with the next of `answers`, the last again and again.
    pub(crate) fn answering(delay: Duration, answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().enumerate() {
                let answer = answers.get(n).or(answers.last()).unwrap();
                let mut stream = stream.unwrap();
                let request = read(&stream);
                seen.lock().unwrap().push(request);
                std::thread::sleep(delay);
                // Whoever asked may have gone.
                let _ = stream.write_all(answer);
            }
        });
        Self { url, requests }
    }

    /// Returns the requests so far: head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut all = String::new();
    let mut n_bytes = 0;
    while !all.ends_with("\r\n\r\n") {
        let start = all.len();
        if reader.read_line(&mut all).unwrap() == 0 {
            return all;
        }
        let line = all[start..].to_lowercase();
        if let Some(length) = line.strip_prefix("content-length:") {
            n_bytes = length.trim().parse().unwrap();
        }
    }
    reader.take(n_bytes).read_to_string(&mut all).unwrap();
    all
}

/// Returns an answer that ends where the connection does.
pub(crate) fn answer(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} -\r\ndate: Sat, 21 Nov 2026 18:00:00 GMT\r\n{headers}");
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}
