import { latch } from "./latch.ts";
import type { TestDevice } from "./sync-device.ts";

/** Lets no pack through to a device until the returned function is called. */
export function holdPacks(device: TestDevice): () => void {
  const { opened, open } = latch();
  const { openPack } = device;
  device.openPack = async (...request) => {
    await opened;
    return await openPack(...request);
  };
  return open;
}
