// Runs in the network of the pods, to which the test itself does not belong. It connects for the test as the kubelet
// does for its probes, and it passes connections on as kube-proxy does. It takes its orders from the test over IPC.
import { get } from "node:http";
import { connect, createServer } from "node:net";

const ACTS = { http, tcp, relay };
/** Where each relay leads, and its connections. */
const endpoints = new Map();
const open = new Map();

process.on("message", async ({ id, act, given }) => {
  const answer = await ACTS[act](given).catch((error) => ({ failure: error.message }));
  process.send({ id, answer });
});
process.on("disconnect", () => process.exit());

function http({ host, port, path, timeoutMs }) {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, path, timeout: timeoutMs, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, text }));
    });
    request.on("timeout", () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    request.on("error", reject);
  });
}

function tcp({ host, port, timeoutMs }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    socket.on("timeout", () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)));
    socket.on("error", reject);
    socket.on("connect", () => resolve({ connected: socket.destroy() !== undefined }));
  });
}

/** Passes connections to `listen` on to one of `to` after the other. Called again, it changes `to` and cuts the old. */
async function relay({ listen, to }) {
  const name = `${listen.host}:${listen.port}`;
  const known = endpoints.has(name);
  endpoints.set(name, to);
  for (const socket of open.get(name) ?? []) socket.destroy();
  open.set(name, new Set());
  if (known) return {};
  let next = 0;
  const server = createServer((client) => {
    const places = endpoints.get(name);
    next += 1;
    const place = places[next % places.length];
    if (place === undefined) return client.destroy();
    const upstream = connect(place);
    open.get(name).add(client);
    client.once("close", () => open.get(name).delete(client));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      one.on("error", () => {}).on("close", () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(listen.port, listen.host, resolve));
  return {};
}
