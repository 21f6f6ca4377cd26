// How the fake vendor fails: for each case what every vendor answers instead of the scenario's turn.
//
// A program is led to a case by its base URL: `http://127.0.0.1:PORT/case/NAME`. The messages are the vendors' own.

const DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
const MINUTE = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";

function gemini(code, status, message, details = []) {
  return { error: { code, message, status, details } };
}

function quota(quotaId, seconds) {
  const details = [{ "@type": "type.googleapis.com/google.rpc.QuotaFailure", violations: [{ quotaId }] }];
  if (seconds) details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: `${seconds}s` });
  return gemini(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details.", details);
}

function claude(type, message) {
  return { type: "error", error: { type, message } };
}

function codex(code, message) {
  return { error: { type: code, code, message, param: null } };
}

// Case: status, headers, and the body of each vendor; where the statuses differ, [status, body].
const STATUSES = {
  "rate-limit-with-time": [429, { "retry-after": "30" }, {
    gemini: quota(MINUTE, 30),
    claude: claude("rate_limit_error", "This request would exceed your account's rate limit. Please try again later."),
    codex: codex("rate_limit_exceeded", "Rate limit reached for gpt-6.1-sol in organization org-x on tokens per min (TPM)."),
  }],
  "rate-limit": [429, {}, {
    gemini: quota(MINUTE),
    claude: claude("rate_limit_error", "This request would exceed your account's rate limit. Please try again later."),
    codex: codex("rate_limit_exceeded", "Rate limit reached for gpt-6.1-sol in organization org-x on tokens per min (TPM)."),
  }],
  "quota-spent": [429, {}, {
    gemini: quota(DAY),
    claude: [400, claude("invalid_request_error", "Your credit balance is too low to access the Anthropic API.")],
    codex: codex("insufficient_quota", "You exceeded your current quota, please check your plan and billing details."),
  }],
  "bad-key": [401, {}, {
    gemini: [400, gemini(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [
      { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "API_KEY_INVALID", domain: "googleapis.com" },
    ])],
    claude: claude("authentication_error", "invalid x-api-key"),
    codex: codex("invalid_api_key", "Incorrect API key provided: test-key."),
  }],
  "401": [401, {}, {
    gemini: gemini(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."),
    claude: claude("authentication_error", "OAuth token has expired."),
    codex: codex("unauthorized", "Missing bearer or basic authentication in header"),
  }],
  "403": [403, {}, {
    gemini: gemini(403, "PERMISSION_DENIED", "The caller does not have permission"),
    claude: claude("permission_error", "Your API key does not have permission to use the specified resource."),
    codex: codex("forbidden", "Country, region, or territory not supported"),
  }],
  "unknown-model": [404, {}, {
    gemini: gemini(404, "NOT_FOUND", "models/gemini-3.1-pro-preview is not found for API version v1beta."),
    claude: claude("not_found_error", "model: claude-opus-5-5"),
    codex: codex("model_not_found", "The model `gpt-6.1-sol` does not exist or you do not have access to it."),
  }],
  "over-window": [400, {}, {
    gemini: gemini(400, "INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
    claude: claude("invalid_request_error", "prompt is too long: 1200000 tokens > 1000000 maximum"),
    codex: codex("context_length_exceeded", "Your input exceeds the context window of this model."),
  }],
  "bad-request": [400, {}, {
    gemini: gemini(400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    claude: claude("invalid_request_error", "messages: unexpected value"),
    codex: codex("invalid_request_error", "Unsupported value: 'x'."),
  }],
  "500": [500, {}, {
    gemini: gemini(500, "INTERNAL", "An internal error has occurred."),
    claude: claude("api_error", "Internal server error"),
    codex: codex("server_error", "The server had an error while processing your request."),
  }],
  "503": [503, {}, {
    gemini: gemini(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    claude: claude("api_error", "Service unavailable"),
    codex: codex("server_error", "The server is overloaded or not ready yet."),
  }],
  "529": [529, {}, {
    gemini: gemini(529, "UNAVAILABLE", "The model is overloaded."),
    claude: claude("overloaded_error", "Overloaded"),
    codex: codex("server_error", "Overloaded"),
  }],
};

const HTML = "<!DOCTYPE html>\n<html><head><title>Welcome to the guest network</title></head><body>Please sign in.</body></html>\n";

const SLOW_MS = 8_000;

// Answers a request as `name` says. Returns the turn that is to be answered after all, if there is one: `answer` is
// called with it, later where the case is to be slow.
export function fail(name, vendor, response, turn, answer) {
  if (STATUSES[name]) {
    const [status, headers, bodies] = STATUSES[name];
    const [own, body] = Array.isArray(bodies[vendor]) ? bodies[vendor] : [status, bodies[vendor]];
    response.writeHead(own, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    return;
  }
  switch (name) {
    case "slow":
      setTimeout(() => answer(turn), SLOW_MS);
      return;
    case "html":
      response.writeHead(200, { "content-type": "text/html" }).end(HTML);
      return;
    case "empty":
      return answer({ text: "" });
    case "cut-in-stream":
      return answer({ ...turn, ends: "dropped" });
    case "refused":
      return answer({ text: "I cannot help with that.", ends: "refused" });
    case "max-tokens":
      return answer({ text: turn.text.slice(0, turn.text.length / 2), ends: "max-tokens" });
    default:
      response.writeHead(500).end(`there is no case ${name}`);
  }
}
