// A baseline for pushes: the same gate without Lockstep, with a write lock that is held during the upload. Cluster
// engines that take the lock before they start `git receive-pack` work this way.
import { createServer } from "node:http";
import { Mutex } from "async-mutex";
import { serve } from "../dist/gate/serve.js";

const silent = { info() {}, warn() {}, error() {} };
const options = {
  root: process.argv[2],
  socketDir: "/nowhere",
  beforeRead: async () => ({ unchangedMs: Number.POSITIVE_INFINITY }),
  log: silent,
  env: { PATH: process.env.PATH, HOME: process.env.HOME },
};
const never = new AbortController().signal;
const lock = new Mutex();
const answer = (request, response) => serve(request, response, options, { draining: never, stopping: never });
const server = createServer((request, response) => {
  void (request.method === "POST" ? lock.runExclusive(() => answer(request, response)) : answer(request, response));
});
server.on("checkContinue", (request, response) => {
  void lock.runExclusive(() => {
    response.writeContinue();
    return answer(request, response);
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })));
process.on("SIGINT", () => process.exit(0));
