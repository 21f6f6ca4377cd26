// Packs each tree with each program and judges the result: see `peers`.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SaxesParser } from "saxes";

const [place, folder, part] = process.argv.slice(2);
const repomix = [process.execPath, "--max-old-space-size=2048", join(place, "node_modules/repomix/bin/repomix.cjs"), "--quiet", "--style", "xml"];
// Its own list of files to leave out is none of git's; what git keeps to itself stays out.
const filters = ["--no-default-patterns", "--ignore", "**/.git/**,**/.git"];
const programs = {
  twostep: { line: [join(place, "twostep"), "pack", "-q", "-f"], read: readOurs },
  "repomix": { line: [...repomix, ...filters], read: readDefault },
  "repomix --parsable-style": { line: [...repomix, ...filters, "--parsable-style"], read: readParsable },
};
const seconds = 30;

// What a reader of the default style does: files stand between lines that look like tags.
function readDefault(text) {
  const files = text.slice(text.indexOf("\n<files>\n"));
  return [...files.matchAll(/^<file path="([\s\S]*?)">\n([\s\S]*?)\n<\/file>$/gm)].map(([, path, text]) => ({ path, text }));
}

function elements(text) {
  const found = [];
  let current;
  const parser = new SaxesParser();
  parser.on("error", (error) => { throw error; });
  parser.on("opentag", ({ name, attributes }) => {
    current = name === "file" ? { ...attributes, text: "" } : undefined;
    if (current) found.push(current);
  });
  parser.on("closetag", () => { current = undefined; });
  for (const event of ["text", "cdata"]) parser.on(event, (text) => { if (current) current.text += text; });
  parser.write(text).close();
  return found;
}

function readParsable(text) {
  return elements(text).map(({ path, text }) => ({ path, text }));
}

function readOurs(text) {
  return elements(text).filter((file) => file.level !== "path").map((file) => {
    let text = file.text.replace(/^\n/, "").replace(/\n$/, "");
    if (file.carriage === "base64") text = Buffer.from(text, "base64").toString();
    if (file.controls === "pictures") text = text.replace(/[\u2400-\u241f]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0x2400));
    if (file.eol === "crlf") text = text.replaceAll("\n", "\r\n");
    let path = file.path;
    if (file["path-escape"]) {
      const bytes = Buffer.from(path).toString("latin1");
      path = Buffer.from(bytes.replace(/\\(\\|x(..))/g, (_, c, hex) => (hex ? String.fromCharCode(parseInt(hex, 16)) : c)), "latin1").toString();
    }
    return { path, text };
  });
}

// The text of a file, by what is known of it; nothing where it is not known.
function expectedText({ attributes, bytes }) {
  if (attributes === "any") return undefined;
  const charset = /charset=(\S+)/.exec(attributes)?.[1] ?? "utf-8";
  return new TextDecoder(charset).decode(Buffer.from(bytes, "base64"));
}

// A file has its text, its outer white space aside if `isTrimmed`.
function judge(run, expected, files, isTrimmed) {
  const same = isTrimmed ? (a, b) => a.trim() === b.trim() : (a, b) => a === b;
  const left = new Map();
  for (const file of files) {
    if (left.has(file.path)) return `${file.path} is there twice`;
    left.set(file.path, file.text);
  }
  for (const row of expected.rows.filter((row) => row.attributes !== null)) {
    const path = Buffer.from(row.path, "base64").toString();
    if (!left.has(path)) return `${JSON.stringify(path)} is missing`;
    const text = expectedText(row);
    if (text !== undefined && !same(left.get(path), text)) return `${JSON.stringify(path)} has other text`;
    left.delete(path);
  }
  const [more] = left.keys();
  return more === undefined ? undefined : `${JSON.stringify(more)} is there, too`;
}

function pack(tree, program, expected) {
  const out = join(tree, "out.xml");
  rmSync(out, { force: true });
  rmSync(join(tree, "mark"), { force: true });
  const [command, ...args] = [...program.line, "-o", out, ...expected.args];
  const run = spawnSync(command, args, {
    cwd: join(tree, "repo", expected.folder), timeout: seconds * 1000, killSignal: "SIGKILL", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26,
    env: { PATH: process.env.PATH, HOME: join(tree, "home"), GIT_CONFIG_NOSYSTEM: "1" },
  });
  if (run.error) return { why: run.error.code };
  if (run.status !== 0) return { why: `ended with ${run.status}` };
  if (existsSync(join(tree, "mark"))) return { why: "ran what was planted" };
  if (!existsSync(out)) return { why: "wrote nothing" };
  const bytes = readFileSync(out);
  if (bytes.includes("OUTSIDE-SECRET")) return { why: "leaked what is outside" };
  let files;
  try {
    files = program.read(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    return { why: `not well-formed: ${error.message.slice(0, 80)}` };
  } finally {
    rmSync(out);
  }
  return { why: judge(run, expected, files, true), whyExact: judge(run, expected, files, false) };
}

const right = Object.fromEntries(Object.keys(programs).map((name) => [name, { trimmed: 0, exact: 0 }]));
const trees = readdirSync(folder).filter((name) => name.includes(part)).sort();
for (const name of trees) {
  const tree = join(folder, name);
  const expected = JSON.parse(readFileSync(join(tree, "expected.json")));
  for (const [program, how] of Object.entries(programs)) {
    const { why, whyExact = why } = pack(tree, how, expected);
    right[program].trimmed += why === undefined;
    right[program].exact += whyExact === undefined;
    const told = why ?? (whyExact ? `ok, but for outer white space` : "ok");
    if (told !== "ok") console.log(`${expected.name.padEnd(46)} ${program.padEnd(26)} ${told.slice(0, 160)}`);
  }
}
console.log(`\nof ${trees.length} trees      right   outer white space, too`);
for (const [program, { trimmed, exact }] of Object.entries(right)) console.log(`${program.padEnd(26)} ${String(trimmed).padStart(4)} ${String(exact).padStart(6)}`);
