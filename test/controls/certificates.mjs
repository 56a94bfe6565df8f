// Rules of certificates and connections.

/** @type {import("./controls.mjs").Control[]} */
export const certificateControls = [
  {
    rule: "each request asks whether the certificate of its connection is still valid",
    patches: [
      {
        file: "src/tls/peers.ts",
        from: 'if (ended !== undefined) throw new LockstepError("UNAUTHENTICATED", ended);',
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/peers.test.ts",
    name: "is refused by the request itself, without the sweep",
  },
  {
    rule: "a session is never resumed",
    patches: [
      { file: "src/tls/mutual-tls.ts", from: "secureOptions: constants.SSL_OP_NO_TICKET,", to: "secureOptions: 0," },
      {
        file: "src/tls/mutual-tls.ts",
        from: 'import { constants } from "node:crypto";\n',
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/peers.test.ts",
    name: "is not resumed, so each connection shows its certificate",
  },
  {
    rule: "files that do not fit are not used",
    patches: [
      {
        file: "src/tls/watched-credentials.ts",
        from: "?? faultOf(read, Date.now()) ??",
        to: "??",
      },
      { file: "src/tls/watched-credentials.ts", from: "expiryOf, faultOf, readTls,", to: "expiryOf, readTls," },
    ],
    project: "e2e",
    tests: "test/e2e/certificates.test.ts",
    name: "of a foreign authority",
  },
  {
    rule: "a connection whose key was revoked is cut",
    patches: [
      {
        file: "src/tls/peers.ts",
        from: "if (refusal !== undefined) this.#cut(connection, refusal.message);",
        to: "if (refusal !== undefined) return;",
      },
    ],
    project: "integration",
    tests: "test/integration/peers.test.ts",
    name: "is cut when its key is not trusted any more, and the log says why",
  },
  {
    rule: "a certificate that may sign others proves nobody",
    patches: [
      {
        file: "src/tls/peer-certificate.ts",
        from: "own.ca ? undefined : certificateIdentity(",
        to: "certificateIdentity(",
      },
    ],
    project: "integration",
    tests: "test/integration/certificate-matrix.test.ts",
    name: "over a new connection",
  },
  {
    rule: "weak keys are refused in the handshake",
    patches: [{ file: "src/tls/mutual-tls.ts", from: ":@SECLEVEL=2`", to: ":@SECLEVEL=1`" }],
    project: "integration",
    tests: "test/integration/certificate-matrix.test.ts",
    name: "over a new connection",
  },
  {
    rule: "a gate uses new certificate files without a restart",
    patches: [
      {
        file: "src/io/watched-files.ts",
        from: "    for (const listener of this.#listeners) listener(content);\n",
        to: "",
      },
    ],
    project: "integration",
    tests: "test/integration/gate-tls.test.ts",
    name: "are used for new connections without a restart",
  },
];
