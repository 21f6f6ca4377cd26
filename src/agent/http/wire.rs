//! The door to the network: one request, sent by a thread that hands on what it reads.

use std::io::Read as _;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use ureq::Proxy;
use ureq::tls::{RootCerts, TlsConfig};

use crate::agent::retry;

/// A request, whole.
pub(super) struct Request {
    /// Where it goes.
    pub(super) url: String,
    /// Its headers, the key's included.
    pub(super) headers: Vec<(&'static str, String)>,
    /// The key, if there is one.
    pub(super) key: Option<String>,
    /// Its body, JSON.
    pub(super) body: String,
    /// The proxy that it goes through.
    pub(super) proxy: Option<String>,
    /// How long it may take.
    pub(super) wall: Duration,
}

/// What comes of a request, in this order: a head, bytes, an end; or a break at any place.
pub(super) enum Piece {
    /// Status and headers.
    Head(Head),
    /// Some of the body.
    Bytes(Vec<u8>),
    /// The end of the body.
    End,
    /// Why there is no more.
    Broken(String),
}

/// What an answer begins with.
pub(super) struct Head {
    /// Its status.
    pub(super) status: u16,
    /// For how long to wait, by its headers.
    pub(super) retry_after: Option<Duration>,
}

impl Head {
    /// Says whether what follows is the answer that was asked for.
    pub(super) fn is_good(&self) -> bool {
        self.status == 200
    }
}

/// A server that is not there does not answer: nobody waits longer for a connection.
const CONNECT: Duration = Duration::from_secs(30);

/// So many pieces wait until we take them.
const N_PIECES: usize = 16;

/// Sends a request. The thread ends with it, at the latest when its time is over, or by itself once nobody listens.
pub(super) fn send(request: Request) -> Receiver<Piece> {
    let (sender, receiver) = sync_channel(N_PIECES);
    std::thread::spawn(move || {
        let last = match read(&request, &sender) {
            Ok(()) => Piece::End,
            Err(error) => Piece::Broken(error.to_string()),
        };
        // Nobody listens any more if this fails.
        drop(sender.send(last));
    });
    receiver
}

fn read(request: &Request, sender: &SyncSender<Piece>) -> Result<(), ureq::Error> {
    let proxy = request.proxy.as_deref().map(Proxy::new).transpose()?;
    let certificates = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy)
        .tls_config(certificates.build())
        .timeout_connect(Some(CONNECT))
        // Who waits for it sees first that the time is over.
        .timeout_global(Some(request.wall.saturating_add(CONNECT)))
        .user_agent(concat!("twostep/", env!("CARGO_PKG_VERSION")))
        .build();
    let mut post = config
        .new_agent()
        .post(&request.url)
        .header("content-type", "application/json");
    for (name, value) in &request.headers {
        post = post.header(*name, value);
    }
    let response = post.send(&request.body)?;
    let headers = response.headers();
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let head = Head {
        status: response.status().as_u16(),
        retry_after: retry::of_headers(&header),
    };
    let mut is_heard = sender.send(Piece::Head(head)).is_ok();
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 16 << 10];
    while is_heard {
        let n = body.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        is_heard = sender.send(Piece::Bytes(buffer[..n].to_owned())).is_ok();
    }
    Ok(())
}

/// Returns the proxy through which the user's variables send requests to `url`; none to this machine.
pub(super) fn proxy_for<'a>(
    url: &str,
    variable: &dyn Fn(&str) -> Option<&'a str>,
) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = match authority.strip_prefix('[') {
        Some(ipv6) => ipv6.split(']').next()?,
        None => authority.split(':').next()?,
    };
    let host = host.to_lowercase();
    let some = |name: &str| {
        variable(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    let either = |upper: &str| some(&upper.to_lowercase()).or_else(|| some(upper));
    let is_here = host == "localhost" || host == "::1" || host.starts_with("127.");
    let mut exceptions = either("NO_PROXY").unwrap_or_default().split(',');
    let is_excepted = exceptions.any(|entry| {
        let entry = entry.trim().to_lowercase();
        let name = entry.trim_start_matches('*').trim_start_matches('.');
        entry == "*" || host == name || !name.is_empty() && host.ends_with(&format!(".{name}"))
    });
    if is_here || is_excepted {
        return None;
    }
    let proxy = either(&format!("{}_PROXY", scheme.to_uppercase()));
    proxy.or_else(|| either("ALL_PROXY")).map(str::to_owned)
}

/// A stream in whose bytes the key, should a server echo it, does not stand.
pub(super) struct Scrubbed {
    key: Vec<u8>,
    /// The beginning of what may be the key.
    held: Vec<u8>,
}

/// What stands in the place of the key.
const HIDDEN: &[u8] = b"[KEY]";

impl Scrubbed {
    pub(super) fn new(key: Option<&str>) -> Self {
        Self {
            key: key.unwrap_or_default().into(),
            held: Vec::new(),
        }
    }

    /// Takes bytes; returns those that can be no part of the key.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        if self.key.is_empty() {
            return all;
        }
        let mut clean = Vec::with_capacity(all.len());
        let mut rest = all.as_slice();
        for at in memchr::memmem::find_iter(&all, &self.key) {
            let n_before = at - (all.len() - rest.len());
            clean.extend_from_slice(&rest[..n_before]);
            clean.extend_from_slice(HIDDEN);
            rest = &rest[n_before + self.key.len()..];
        }
        let most = rest.len().min(self.key.len() - 1);
        let lengths = (1..=most).rev();
        let begun = lengths
            .into_iter()
            .find(|n| rest.ends_with(&self.key[..*n]));
        let (free, held) = rest.split_at(rest.len() - begun.unwrap_or(0));
        clean.extend_from_slice(free);
        held.clone_into(&mut self.held);
        clean
    }

    /// Returns what was held back at the end.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_in_what_comes_however_it_is_cut() {
        for (key, stream, expected) in [
            (
                "secret",
                "a secret b secretsecret c",
                "a [KEY] b [KEY][KEY] c",
            ),
            ("aab", "aaab aa", "a[KEY] aa"),
            ("secret", "secre", "secre"),
            ("", "any", "any"),
        ] {
            for size in 1..=stream.len() {
                let mut scrubbed = Scrubbed::new(Some(key));
                let chunks = stream.as_bytes().chunks(size);
                let mut clean = chunks.map(|chunk| scrubbed.take(chunk)).collect::<Vec<_>>();
                clean.push(scrubbed.rest());
                assert_eq!(
                    String::from_utf8(clean.concat()).unwrap(),
                    expected,
                    "{size}"
                );
            }
        }
    }

    #[test]
    fn the_users_variables_name_the_proxy() {
        let https = ("HTTPS_PROXY", "http://p:1");
        let all = ("all_proxy", "socks5://s:2");
        for (url, variables, proxy) in [
            ("https://api.x.com/v1", &[https][..], Some("http://p:1")),
            (
                "https://api.x.com",
                &[https, ("https_proxy", "http://q:3")],
                Some("http://q:3"),
            ),
            ("http://api.x.com", &[https], None),
            ("http://api.x.com:80/", &[https, all], Some("socks5://s:2")),
            (
                "https://api.x.com",
                &[("HTTPS_PROXY", ""), all],
                Some("socks5://s:2"),
            ),
            (
                "https://api.x.com",
                &[https, ("NO_PROXY", "y.com, .x.com")],
                None,
            ),
            (
                "https://x.com:8443/v1",
                &[https, ("no_proxy", "x.com")],
                None,
            ),
            (
                "https://ax.com",
                &[https, ("no_proxy", "x.com")],
                Some("http://p:1"),
            ),
            ("https://api.x.com", &[https, ("no_proxy", "*")], None),
            (
                "https://api.x.com",
                &[https, ("no_proxy", ",")],
                Some("http://p:1"),
            ),
            ("https://127.0.0.1:1/", &[https, all], None),
            ("https://LOCALHOST", &[https], None),
            ("https://[::1]:7/", &[https], None),
            ("https://api.x.com", &[], None),
        ] {
            let variable = |wanted: &str| {
                let found = variables.iter().find(|(name, _)| *name == wanted);
                found.map(|(_, value)| *value)
            };
            let expected = proxy.map(str::to_owned);
            assert_eq!(proxy_for(url, &variable), expected, "{url} {variables:?}");
        }
    }
}
