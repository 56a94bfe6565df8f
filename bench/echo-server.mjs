// The baseline for reads: a bare grpc-js server on a unix socket that answers the same messages at once. With a
// database it answers after one `select 1`.
import { rmSync } from "node:fs";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import pg from "pg";
import { loadServices } from "../dist/protocol/proto.js";

const [socket, databaseUrl] = process.argv.slice(2);
const database = databaseUrl && new pg.Client({ connectionString: databaseUrl });
await database?.connect();
rmSync(socket, { force: true });
const server = new Server();
server.addService(loadServices()["lockstep.v1.SyncService"].service, {
  BeforeRead: (_, respond) => {
    const answer = () => respond(null, { version: "1", fetched: false, stale: false, waited: { seconds: "0" } });
    if (database) void database.query("select 1").then(answer);
    else answer();
  },
});
server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log(JSON.stringify({ socket }));
});
process.on("SIGINT", () => process.exit(0));
