// Negative controls of the gate and of the shims.

/** @type {import("./controls.mjs").Control[]} */
export const frontEndControls = [
  {
    rule: "a push through the gate is in the trace below the request",
    patches: [
      {
        file: "src/gate/serve-git.ts",
        from: "traceparent: traceParent()",
        to: "traceparent: [request.headers.traceparent].flat()[0]",
      },
    ],
    project: "e2e",
    tests: "test/e2e/watched-gate.test.ts",
    name: "is one trace",
  },
  {
    rule: "a gate without its sidecar is not ready",
    patches: [{ file: "src/client/client.ts", from: "      () => false,", to: "      () => true," }],
    project: "e2e",
    tests: "test/e2e/watched-gate.test.ts",
    name: "is not ready then",
  },
  {
    rule: "requests of one connection are served one after another",
    patches: [
      {
        file: "src/smart-http/one-at-a-time.ts",
        from: "if (response.socket !== null) return start(request, response);",
        to: "if (response.socket !== null || request.socket !== null) return start(request, response);",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-failures.test.ts",
    name: "leave nothing behind when their client leaves",
  },
  {
    rule: "a git that fails is in the log",
    patches: [
      {
        file: "src/smart-http/exchange.ts",
        from: "if (ending && ending.code !== 0 && !git.stopped) onFailure(ending);",
        to: "if (ending && ending.code === -1 && !git.stopped) onFailure(ending);",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-failures.test.ts",
    name: "in the middle of a push is told in words",
  },
  {
    rule: "a push that breaks off ends by the end of git's input",
    patches: [{ file: "src/smart-http/git-child.ts", from: "if (!takesObjects) terminate();", to: "terminate();" }],
    project: "integration",
    tests: "test/integration/gate-break-off.test.ts",
    name: "leaves no git process, no quarantine and no ref",
  },
  {
    rule: "strangers are told no details",
    patches: [
      {
        file: "src/smart-http/strangers.ts",
        from: "  if (OPEN.has(code)) return",
        to: "  if (Date.now() > 0) return message;\n  if (OPEN.has(code)) return",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-sidecar.test.ts",
    name: "is a short sentence with an id",
  },
  {
    rule: "a refusal of the second request is told in git's own words",
    patches: [
      { file: "src/gate/refuse.ts", from: "if (unread && (status", to: "if (unread && Date.now() < 0 && (status" },
    ],
    project: "integration",
    tests: "test/integration/gate-second-refusal.test.ts",
    name: "of (a small push is told for each ref|a fetch is told)",
  },
  {
    rule: "a git that dies of a request without a word has answered it",
    patches: [
      { file: "src/smart-http/exchange.ts", from: "(died && (silent ||", to: "(died && !silent && (silent ||" },
    ],
    project: "integration",
    tests: "test/integration/gate-like-git.test.ts",
    name: "is answered as git http-backend does: a shallow fetch of nothing",
  },
  {
    rule: "receive-pack's output is read on when the client is gone",
    patches: [
      {
        file: "native/git-session.c",
        from: 'if (strcmp(command, "receive-pack") == 0) relay_output();',
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/shim-client-gone.test.ts",
    name: "lets it remove its quarantine when an upload is cut off",
  },
  {
    rule: "a shim that has ended its side hears how the push ended",
    patches: [{ file: "src/hook/server.ts", from: "socket.iterator({ destroyOnReturn: false })", to: "socket" }],
    project: "e2e",
    tests: "test/e2e/pusher-leaves.test.ts",
    name: "leaves no .keep",
  },
  {
    rule: "what a receive-pack at work uses is no leftover",
    patches: [{ file: "src/git/beside/uploads.ts", from: " || (await isReceiving(gitDir))", to: "" }],
    project: "integration",
    tests: "test/integration/uploads.test.ts",
    name: "stays while a receive-pack is at work",
  },
  {
    rule: "only a hook runs programs for the sidecar",
    patches: [
      {
        file: "native/conversation.c",
        from: "    if (!conversation->is_hook) return LOST;\n    if (is_sending())",
        to: "    if (is_sending())",
      },
    ],
    project: "integration",
    tests: "test/integration/shim-foreign-sidecar.test.ts",
    name: "takes no frame U, which",
  },
  {
    rule: "the directory that a client names does not say where the sidecar is",
    patches: [
      {
        file: "native/sidecar.c",
        from: "  if (!directory && is_hook) directory = configured_directory();",
        to: "  if (is_hook) directory = configured_directory();",
      },
      {
        file: "native/git-session.c",
        from: 'connect_to_sidecar("hook.sock", purpose, 0)',
        to: 'connect_to_sidecar("hook.sock", purpose, chdir(directory) == 0)',
      },
    ],
    project: "integration",
    tests: "test/integration/shim-stranger.test.ts",
    name: "asks the sidecar that its operator has named",
  },
  {
    rule: "a shim asks no sidecar of another user's",
    patches: [
      {
        file: "native/sidecar.c",
        from: "  if (!peer_is_ours(sidecar, is_hook))",
        to: "  if (!peer_is_ours(sidecar, is_hook) && getpid() < 0)",
      },
    ],
    project: "integration",
    tests: "test/integration/shim-foreign-sidecar.test.ts",
    name: "asks no sidecar of another user's",
  },
  {
    rule: "git runs below the root only",
    patches: [{ file: "native/git-session.c", from: "  if (!configured) return resolved;", to: "  return resolved;" }],
    project: "integration",
    tests: "test/integration/shim-stranger.test.ts",
    name: "does not run git on",
  },
  {
    rule: "git gets none of a stranger's environment",
    patches: [{ file: "native/git-session.c", from: "  clean_environment();\n", to: "" }],
    project: "integration",
    tests: "test/integration/shim-stranger.test.ts",
    name: "gives git nothing of the environment",
  },
  {
    rule: "a git that was started early serves only the replica that it was started in",
    patches: [{ file: "src/gate/early-start.ts", from: "at !== undefined && at === place()", to: "at !== undefined" }],
    project: "integration",
    tests: "test/integration/gate-early-git.test.ts",
    name: "started in another repository's replica",
  },
];
