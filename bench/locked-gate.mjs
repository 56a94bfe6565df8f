// A baseline for pushes: the same gate without Lockstep, with a write lock that is held during the upload. Cluster
// engines that take the lock before they start `git receive-pack` work this way.
import { createServer } from "node:http";
import { Mutex } from "async-mutex";
import { AnswerCache } from "../dist/gate/cache/answer-cache.js";
import { EarlyStarts } from "../dist/gate/early-start.js";
import { Places } from "../dist/gate/places.js";
import { serve } from "../dist/gate/serve.js";
import { gateOptions } from "./gate-options.mjs";

const never = new AbortController().signal;
const lock = new Mutex();
const places = () => new Places({ requests: 1_024, perAddress: 1_024, waiting: 0, patienceMs: 0 });
const shared = {
  draining: never,
  stopping: never,
  earlyStarts: new EarlyStarts(),
  crowd: { asking: places(), serving: places() },
  answers: new AnswerCache(0, "/"),
};
const answer = (request, response) => serve(request, response, gateOptions, shared);
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
