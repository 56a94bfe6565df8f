import { beforeRead, type ReadGrant, type ReadOptions } from "./before-read.ts";
import type { SyncContext } from "./context.ts";
import { refuseWhereStopped } from "./stop-writes.ts";

/** Before a push is uploaded: as before a read, and writes must not be stopped. Throws what `beforeRead` throws, and WRITES_STOPPED. */
export async function beforePush(context: SyncContext, name: string, options: ReadOptions): Promise<ReadGrant> {
  const [grant] = await Promise.all([beforeRead(context, name, options), refuseWhereStopped(context, name)]);
  return grant;
}
