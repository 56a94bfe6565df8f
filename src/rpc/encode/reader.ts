// Reads who it is for whom a front end asks.
import { type Client, shortText } from "../../activity/activity.ts";
import type { Reader__Output } from "../../generated/lockstep/v1/Reader.ts";

/** Returns the client of a front end. `author`: the name if the front end has told none. */
export function readerOf(reader: Reader__Output | null, author: string, way: Client["way"]): Client {
  return {
    author: shortText(reader?.user || author),
    address: reader?.address || null,
    way,
    requestId: reader?.requestId || null,
  };
}
