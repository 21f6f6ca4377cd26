//! Files that hold secrets by what they are called.

/// What names mean: exact ones, beginnings, endings; the rule that each is.
const EXACT: &[(&str, &str)] = &[
    (".env", "environment-file"),
    (".envrc", "environment-file"),
    (".netrc", "credentials-file"),
    ("_netrc", "credentials-file"),
    (".npmrc", "credentials-file"),
    (".pypirc", "credentials-file"),
    (".pgpass", "credentials-file"),
    ("pgpass.conf", "credentials-file"),
    (".my.cnf", "credentials-file"),
    (".mylogin.cnf", "credentials-file"),
    (".git-credentials", "credentials-file"),
    (".dockercfg", "credentials-file"),
    (".docker/config.json", "credentials-file"),
    (".aws/credentials", "credentials-file"),
    (".cargo/credentials", "credentials-file"),
    (".cargo/credentials.toml", "credentials-file"),
    (".gem/credentials", "credentials-file"),
    (".config/gh/hosts.yml", "credentials-file"),
    (".kube/config", "kubeconfig-file"),
    (".s3cfg", "credentials-file"),
    (".boto", "credentials-file"),
    (".htpasswd", "credentials-file"),
    (".vault-token", "credentials-file"),
    (".vault_pass", "credentials-file"),
    (".terraformrc", "credentials-file"),
    ("credentials.tfrc.json", "credentials-file"),
    ("credentials", "credentials-file"),
    ("credentials.json", "credentials-file"),
    ("client_secret.json", "credentials-file"),
    ("application_default_credentials.json", "credentials-file"),
    ("secrets.yml", "secrets-file"),
    ("secrets.yaml", "secrets-file"),
    ("secrets.json", "secrets-file"),
    ("secrets.toml", "secrets-file"),
    ("master.key", "secrets-file"),
    ("kubeconfig", "kubeconfig-file"),
    ("terraform.tfstate", "terraform-state"),
    ("terraform.tfstate.backup", "terraform-state"),
    ("terraform.tfvars", "terraform-variables"),
    ("shadow", "credentials-file"),
    ("id_rsa", "private-key-file"),
    ("id_dsa", "private-key-file"),
    ("id_ecdsa", "private-key-file"),
    ("id_ed25519", "private-key-file"),
    ("id_ecdsa_sk", "private-key-file"),
    ("id_ed25519_sk", "private-key-file"),
    ("secring.gpg", "private-key-file"),
    ("wallet.dat", "private-key-file"),
];

const BEGINNINGS: &[(&str, &str)] = &[
    (".env.", "environment-file"),
    ("client_secret_", "credentials-file"),
];

const ENDINGS: &[(&str, &str)] = &[
    (".env", "environment-file"),
    (".pem", "private-key-file"),
    (".p12", "key-store"),
    (".pfx", "key-store"),
    (".pkcs12", "key-store"),
    (".jks", "key-store"),
    (".jceks", "key-store"),
    (".bks", "key-store"),
    (".keystore", "key-store"),
    (".kdb", "key-store"),
    (".kdbx", "key-store"),
    (".keychain", "key-store"),
    (".ppk", "private-key-file"),
    (".pvk", "private-key-file"),
    (".key", "private-key-file"),
    (".pkcs8", "private-key-file"),
    (".p8", "private-key-file"),
    (".ovpn", "private-key-file"),
    (".tfstate", "terraform-state"),
    (".kubeconfig", "kubeconfig-file"),
    (".mobileprovision", "key-store"),
    (".agekey", "private-key-file"),
];

/// Parts of names that show what such a file looks like.
const SHOWN: &[&str] = &[
    "example", "sample", "template", "dist", "tmpl", "tpl", "defaults", "schema",
];

/// Returns the rule by which the name of a file says that it holds secrets.
pub fn is_secret_name(path: &[u8]) -> Option<&'static str> {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit(|&byte| byte == b'/').next().unwrap_or(&lower);
    let is_shown = name
        .split(|byte| b"._-".contains(byte))
        .any(|part| SHOWN.iter().any(|shown| shown.as_bytes() == part));
    if is_shown || name.ends_with(b".pub") {
        return None;
    }
    let is_exact = |known: &str| {
        let is_last = lower
            .strip_suffix(known.as_bytes())
            .is_some_and(|lead| lead.is_empty() || lead.ends_with(b"/"));
        is_last || known == ".env" && name == b".env"
    };
    let is_account = (name.starts_with(b"service-account")
        || name.starts_with(b"service_account")
        || name.starts_with(b"serviceaccount"))
        && name.ends_with(b".json");
    let first = |list: &[(&str, &'static str)], is: &dyn Fn(&str) -> bool| {
        list.iter()
            .find(|(known, _)| is(known))
            .map(|&(_, rule)| rule)
    };
    first(EXACT, &is_exact)
        .or_else(|| first(BEGINNINGS, &|known| name.starts_with(known.as_bytes())))
        .or_else(|| first(ENDINGS, &|known| name.ends_with(known.as_bytes())))
        .or_else(|| is_account.then_some("service-account-file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        for (path, expected) in [
            (".env", Some("environment-file")),
            ("app/.env.production", Some("environment-file")),
            ("prod.env", Some("environment-file")),
            (".env.example", None),
            (".env.local.sample", None),
            (".env.template", None),
            ("environment.ts", None),
            ("home/.ssh/id_rsa", Some("private-key-file")),
            ("id_rsa.pub", None),
            ("id_ed25519", Some("private-key-file")),
            ("certs/Server.PEM", Some("private-key-file")),
            ("a/store.p12", Some("key-store")),
            ("release.keystore", Some("key-store")),
            (".npmrc", Some("credentials-file")),
            ("x/.pypirc", Some("credentials-file")),
            (".netrc", Some("credentials-file")),
            (".aws/credentials", Some("credentials-file")),
            ("src/credentials.rs", None),
            ("kubeconfig", Some("kubeconfig-file")),
            (".kube/config", Some("kubeconfig-file")),
            ("config", None),
            ("infra/terraform.tfstate", Some("terraform-state")),
            ("service-account-prod.json", Some("service-account-file")),
            ("service-accounts.md", None),
            ("src/main.rs", None),
            ("", None),
        ] {
            assert_eq!(is_secret_name(path.as_bytes()), expected, "{path}");
        }
    }
}
