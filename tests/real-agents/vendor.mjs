// A fake model vendor on 127.0.0.1: speaks just enough of the Gemini, Anthropic and OpenAI protocols
// that the real gemini, claude and codex finish a run.
//
// In: `node vendor.mjs SCENARIO.json LOG.jsonl`. Out: its port, one line on stdout; one JSON line a request in LOG.
//
// The scenario names each vendor's turns, in order:
//   {"gemini": [{"file": "plan.md"}], "claude": [{"tool": "Read", "input": {...}}, {"text": "Done"}], "codex": [...]}
// VENDOR with tools is asked for the turns of "VENDOR with tools", if the scenario has them.
// A turn is a text, the text of a file (relative to the scenario), one tool call, or cases: `{"cases": [{"has": "x", "text":
// "..."}, {"text": "..."}]}`, of which the first answers whose words the prompt has. Which turn answers a request is
// told by the numbers of tool results and of prompts that the conversation holds already, so the server keeps no state. In a tool's
// input `{cwd}` is the working directory that the agent says it has, the last one where it says several.
//
// A line of the log tells what came: vendor, path, model, names of the headers and tools, whether the key was the dummy,
// size and SHA-256 of the prompt, whether files were attached that it mentions, and the results of the tools so far.
// Line breaks at the prompt's end are not hashed: gemini drops them.
//
// A path that begins with `/case/NAME` is answered as failures.mjs says of NAME; the log then names the case.
//
// It is also a proxy that refuses: what an agent wants of another host is logged as vendor "outside".

import { createHash } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, resolve } from "node:path";

import { fail } from "./failures.mjs";

const DUMMY_KEY = "test-key";

// gemini gets its prompt as the argument of a custom command of this name, or it would take every `@` for a file's
// name. What the command puts before the prompt is not the prompt.
const GEMINI_COMMAND = "\n\n/twostep\n";

const [scenarioPath, logPath] = process.argv.slice(2);
const scenario = JSON.parse(readFileSync(scenarioPath, "utf8"));

const vendors = {
  gemini: {
    route: /^\/v1beta\/models\/([^/:]+):(streamGenerateContent|generateContent|countTokens)$/,
    key: (headers) => headers["x-goog-api-key"],
    model: (body, match) => match[1],
    tools: (body) => (body.tools ?? []).flatMap((tool) => tool.functionDeclarations ?? []),
    attached: "--- Content from referenced files ---",
    conversation(body) {
      const parts = (body.contents ?? []).flatMap((c) => (c.parts ?? []).map((part) => ({ role: c.role, ...part })));
      return {
        prompt: afterCommand(parts.filter((p) => p.role === "user" && p.text !== undefined).at(-1)?.text ?? ""),
        results: parts.filter((p) => p.functionResponse).map((p) => p.functionResponse.response),
      };
    },
    answer(response, turn, { match, url }) {
      if (match[2] === "countTokens") return json(response, 200, { totalTokens: 100 });
      const part = turn.tool ? { functionCall: { name: turn.tool, args: turn.input } } : { text: turn.text };
      // Of what it refuses nothing comes.
      const parts = turn.ends === "refused" ? [] : [part];
      const finishReason = { refused: "SAFETY", "max-tokens": "MAX_TOKENS" }[turn.ends] ?? "STOP";
      const chunk = {
        candidates: [{ index: 0, content: { role: "model", parts }, ...(turn.ends === "dropped" ? {} : { finishReason }) }],
        usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 10, totalTokenCount: 110 },
        modelVersion: match[1],
      };
      if (match[2] === "generateContent") return json(response, 200, chunk);
      if (url.searchParams.get("alt") !== "sse") return json(response, 200, [chunk]);
      events(response, [[null, chunk]], turn);
    },
  },

  claude: {
    route: /^\/v1\/messages(\/count_tokens)?$/,
    key: (headers) => headers["x-api-key"],
    model: (body) => body.model,
    tools: (body) => body.tools ?? [],
    attached: "Called the Read tool with the following input",
    conversation(body) {
      const blocks = (message) =>
        typeof message.content === "string" ? [{ type: "text", text: message.content }] : (message.content ?? []);
      const users = (body.messages ?? []).filter((message) => message.role === "user");
      return {
        prompt: users.flatMap(blocks).filter(isPrompt).at(-1)?.text,
        n_prompts: users.filter((message) => blocks(message).some(isPrompt)).length,
        results: users.flatMap(blocks).filter((block) => block.type === "tool_result")
          .map((block) => ({ error: block.is_error ?? false, content: block.content })),
      };
    },
    answer(response, turn, { match, body, at }) {
      if (match[1]) return json(response, 200, { input_tokens: 100 });
      const usage = { input_tokens: 100, output_tokens: 10 };
      const content = turn.tool
        ? { type: "tool_use", id: `toolu_${at}`, name: turn.tool, input: turn.input }
        : { type: "text", text: turn.text };
      const stop_reason = turn.tool ? "tool_use" : ({ refused: "refusal", "max-tokens": "max_tokens" }[turn.ends] ?? "end_turn");
      const message = { id: `msg_${at}`, type: "message", role: "assistant", model: body.model, stop_sequence: null, usage };
      if (!body.stream && turn.ends !== "dropped") return json(response, 200, { ...message, content: [content], stop_reason });
      const [empty, delta] = turn.tool
        ? [{ ...content, input: {} }, { type: "input_json_delta", partial_json: JSON.stringify(turn.input) }]
        : [{ type: "text", text: "" }, { type: "text_delta", text: turn.text }];
      events(response, [
        { type: "message_start", message: { ...message, content: [], stop_reason: null } },
        { type: "content_block_start", index: 0, content_block: empty },
        { type: "content_block_delta", index: 0, delta },
        { type: "content_block_stop", index: 0 },
        { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage },
        { type: "message_stop" },
      ].map((event) => [event.type, event]), turn);
    },
  },

  codex: {
    route: /^\/v1\/responses$/,
    key: (headers) => headers.authorization?.replace(/^Bearer /, ""),
    model: (body) => body.model,
    tools: (body) => body.tools ?? body.input.flatMap((item) => item.tools ?? []).flatMap((tool) => tool.tools ?? [tool]),
    conversation(body) {
      const input = body.input ?? [];
      const texts = input.filter((item) => item.role === "user").flatMap((item) => item.content ?? []);
      return {
        prompt: texts.filter((part) => part.type === "input_text").at(-1)?.text,
        results: input.filter((item) => /_call_output$/.test(item.type)).map((item) => item.output),
      };
    },
    answer(response, turn, { at }) {
      const item = !turn.tool
        ? { type: "message", id: `item_${at}`, role: "assistant", content: [{ type: "output_text", text: turn.text }] }
        : typeof turn.input === "string"
          ? { type: "custom_tool_call", id: `item_${at}`, call_id: `call_${at}`, name: turn.tool, input: turn.input }
          : { type: "function_call", id: `item_${at}`, call_id: `call_${at}`, name: turn.tool, arguments: JSON.stringify(turn.input) };
      const id = `resp_${at}`;
      const usage = {
        input_tokens: 100, input_tokens_details: { cached_tokens: 0 },
        output_tokens: 10, output_tokens_details: { reasoning_tokens: 0 }, total_tokens: 110,
      };
      const reason = { refused: "content_filter", "max-tokens": "max_output_tokens" }[turn.ends];
      const end = reason ? "response.incomplete" : "response.completed";
      const incomplete_details = reason ? { reason } : null;
      events(response, [
        { type: "response.created", response: { id } },
        { type: "response.output_item.added", output_index: 0, item },
        { type: "response.output_item.done", output_index: 0, item },
        { type: end, response: { id, output: [item], usage, incomplete_details } },
      ].map((event) => [event.type, event]), turn);
    },
  },
};

function afterCommand(text) {
  const at = text.indexOf(GEMINI_COMMAND);
  return at < 0 ? text : text.slice(at + GEMINI_COMMAND.length);
}

// claude puts reminders of its own beside what it was asked.
function isPrompt(block) {
  return block.type === "text" && !block.text.startsWith("<system-reminder>");
}

function json(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

// A turn that is dropped loses its connection half-way.
function events(response, list, turn) {
  const isDropped = turn.ends === "dropped";
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const [name, data] of isDropped ? list.slice(0, Math.ceil(list.length / 2)) : list) {
    response.write(`${name ? `event: ${name}\n` : ""}data: ${JSON.stringify(data)}\n\n`);
  }
  if (isDropped) setTimeout(() => response.destroy(), 100);
  else response.end();
}

function log(entry) {
  appendFileSync(logPath, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
}

// The words by which claude, gemini and codex tell the model where they work.
function workingDirectory(raw) {
  const text = raw.replaceAll('\\n', "\n");
  const several = /Workspace Directories:\*\*\n((?: +- [^\n]+\n)+)/.exec(text)?.[1];
  if (several) return several.trim().split("\n").at(-1).replace(/^ *- /, "").trim();
  return /(?:working directory: |current working directory is |<cwd>|I'm currently working in the directory: )([^\n<"]+)/i
    .exec(text)?.[1].trim();
}

// Returns the turn that answers, with its text read and its places filled in.
function turnFor(vendor, n_tools, { prompt, results, n_prompts = 1 }, raw) {
  const turns = (n_tools > 0 && scenario[`${vendor} with tools`]) || scenario[vendor];
  // Some programs ask once more by a prompt of their own: that is no turn more.
  const found = turns?.[results.length + n_prompts - 1] ?? turns?.[results.length];
  const turn = found?.cases?.find(({ has = "" }) => prompt.includes(has)) ?? found;
  if (turn?.file) return { text: readFileSync(resolve(dirname(scenarioPath), turn.file), "utf8") };
  if (!turn?.tool) return turn;
  const cwd = workingDirectory(raw) ?? "";
  return { ...turn, input: JSON.parse(JSON.stringify(turn.input).replaceAll("{cwd}", cwd)) };
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const raw = Buffer.concat(chunks).toString("utf8");
    const at = Date.now().toString(36) + Math.random().toString(36).slice(2, 8);
    const url = new URL(request.url, "http://127.0.0.1");
    const local = request.url.startsWith("/");
    const [, failure, path] = /^\/case\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [null, undefined, url.pathname];
    const common = { ...(failure && { case: failure }), method: request.method, path, headers: Object.keys(request.headers), bytes: Buffer.byteLength(raw) };
    const [name, vendor] = Object.entries(vendors).find(([, v]) => local && v.route.test(path)) ?? [];
    // codex asks for a WebSocket first, and takes this for a no.
    if (request.method === "GET" && vendor === vendors.codex) return json(response, 426, {});
    if (!vendor || request.method !== "POST") {
      log({ vendor: local ? "unknown" : "outside", ...common, ...(local ? {} : { host: url.host }) });
      return json(response, 404, { error: { message: "the fake vendor does not speak this" } });
    }
    const match = vendor.route.exec(path);
    const body = JSON.parse(raw);
    const conversation = vendor.conversation(body);
    const { prompt, results } = conversation;
    const key = vendor.key(request.headers);
    const hashed = (prompt ?? "").replace(/[\r\n]+$/, "");
    log({
      vendor: name,
      ...common,
      model: vendor.model(body, match),
      key: key === undefined ? "none" : key === DUMMY_KEY ? "dummy" : "other",
      tools: vendor.tools(body).map((tool) => tool.name ?? tool.type),
      prompt_bytes: Buffer.byteLength(hashed),
      prompt_sha256: createHash("sha256").update(hashed).digest("hex"),
      attached: vendor.attached !== undefined && raw.includes(vendor.attached),
      n_results: results.length,
      results,
    });
    const turn = turnFor(name, vendor.tools(body).length, conversation, raw);
    if (!turn) return json(response, 400, { error: { type: "invalid_request_error", message: "the scenario has no such turn" } });
    const answer = (turn) => vendor.answer(response, turn, { match, url, body, at });
    if (failure) fail(failure, name, response, turn, answer);
    else answer(turn);
  });
});

server.on("connect", (request, socket) => {
  log({ vendor: "outside", method: "CONNECT", host: request.url });
  socket.on("error", () => {}); // whoever asked may be gone
  socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
