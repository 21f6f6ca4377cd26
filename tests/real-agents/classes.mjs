// Makes a table: each program in each case of failures.mjs, and the class that twostep tells.
//
// In: `node classes.mjs TWOSTEP BIN URL VENDOR_LOG WORK [FILTER]`; FILTER is a regular expression for "PROGRAM CASE".
// Out: a row for each on stdout; exit 1 if one is not as expected. What each run left is in WORK/PROGRAM-CASE.
//
// Each run has a repository, a home and a folder for temporary files of its own, so some go on at the same time.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const [twostep, bin, url, vendorLog, folder, filter = ""] = process.argv.slice(2);
const work = resolve(folder);

const N_AT_ONCE = 5;

// Of what the user saw.
const MOST_CHARS = 300;

// Case: the class of the last call, of all or of each.
const EXPECTED = {
  "rate-limit-with-time": "rate_limited",
  "rate-limit": "rate_limited",
  "quota-spent": "out_of_quota",
  "bad-key": "not_signed_in",
  "401": "not_signed_in",
  "403": "permission_denied",
  "unknown-model": "no_such_model",
  "over-window": "over_window",
  "bad-request": "crashed",
  "500": "network",
  "503": "network",
  "529": "network",
  "no-connection": "network",
  "slow": "answered",
  "cut-in-stream": "network",
  "html": "network",
  "empty": "empty",
  "refused": "refused",
  "max-tokens": "cut",
};

// What the homes of the programs must hold: gemini refuses a base URL unless its settings name the kind of sign-in.
const GEMINI_SETTINGS = { security: { auth: { selectedType: "gemini-api-key" } }, privacy: { usageStatisticsEnabled: false } };

function prepare(program, name) {
  const place = join(work, `${program}-${name}`);
  const repository = join(place, "repository");
  const home = join(place, "home");
  for (const folder of [repository, join(home, ".gemini"), join(home, ".codex"), join(place, "tmp")]) {
    mkdirSync(folder, { recursive: true });
  }
  const base = name === "no-connection" ? "http://127.0.0.1:9" : `${url}/case/${name}`;
  writeFileSync(join(repository, "greet.sh"), 'echo "Goodbye, $1"\n');
  writeFileSync(join(place, "spec.md"), "`greet.sh NAME` must print `Hello, NAME`.\n");
  writeFileSync(join(home, ".gemini/settings.json"), JSON.stringify(GEMINI_SETTINGS));
  writeFileSync(join(home, ".codex/config.toml"), `openai_base_url = "${base}/v1"\n`);
  execFileSync("git", ["init", "--quiet"], { cwd: repository });
  const env = {
    PATH: `${bin}:${process.env.PATH}`, HOME: home, TMPDIR: join(place, "tmp"), LANG: "C.UTF-8",
    GEMINI_API_KEY: "test-key", GOOGLE_GEMINI_BASE_URL: base,
    ANTHROPIC_API_KEY: "test-key", ANTHROPIC_BASE_URL: base,
    CODEX_API_KEY: "test-key", HTTP_PROXY: url, HTTPS_PROXY: url, NO_PROXY: "127.0.0.1",
  };
  return { repository, env };
}

// Returns the events of the only run there.
function journal(repository) {
  const runs = join(repository, ".twostep/runs");
  const [run] = readdirSync(runs).filter((name) => /^\d/.test(name));
  const lines = readFileSync(join(runs, run, "journal.jsonl"), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line.split("\t")[0]).event);
}

function run([program, name]) {
  const { repository, env } = prepare(program, name);
  const args = ["plan", "../spec.md", "--planner", program, "--max-wait", "1s", "--idle-limit", "20s", "--time-limit", "40s"];
  const began = Date.now();
  const child = spawn(twostep, args, { cwd: repository, env, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (data) => (stderr += data));
  return new Promise((done) => {
    child.on("close", (code) => {
      writeFileSync(join(repository, "../stderr"), stderr);
      const events = journal(repository);
      const failed = events.filter((event) => event.type === "call_failed").at(-1);
      done({
        program, name, stderr,
        seconds: (Date.now() - began) / 1000,
        told: code === 0 ? "answered" : (failed?.class ?? `exit ${code}`),
        n_calls: events.filter((event) => event.type === "call_started").length,
      });
    });
  });
}

function requests(program, name) {
  const lines = readFileSync(vendorLog, "utf8").trim().split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return lines.filter((line) => line.vendor === program && line.case === name).length;
}

const all = Object.keys(EXPECTED).flatMap((name) => ["gemini", "claude", "codex"].map((program) => [program, name]));
const wanted = all.filter((row) => new RegExp(filter).test(row.join(" ")));
const queue = [...wanted];
const rows = [];
await Promise.all(Array.from({ length: N_AT_ONCE }, async () => {
  while (queue.length > 0) rows.push(await run(queue.shift()));
}));

let n_wrong = 0;
for (const [program, name] of wanted) {
  const row = rows.find((row) => row.program === program && row.name === name);
  const expected = EXPECTED[name][program] ?? EXPECTED[name];
  if (row.told !== expected) n_wrong += 1;
  const cells = [
    row.told === expected ? "ok     " : "FAILED ",
    program.padEnd(6), name.padEnd(20), row.told.padEnd(17), `${row.seconds.toFixed(1).padStart(5)} s,`,
    `${row.n_calls} calls, ${requests(program, name)} requests`, row.told === expected ? "" : `(expected ${expected})`,
  ];
  console.log(cells.join(" ").trimEnd());
  for (const line of row.stderr.split("\n").filter((line) => /^(error|hint): /.test(line))) console.log(`          ${line.slice(0, MOST_CHARS)}`);
}
process.exit(n_wrong > 0 ? 1 : 0);
