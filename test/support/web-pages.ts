// Starts cgit and gitweb behind nginx before a device, configured as docs/integration.md says.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Device } from "./cluster-device.ts";
import { documented } from "./documented.ts";
import { placesOf, runNginx } from "./nginx.ts";

export interface WebPages extends AsyncDisposable {
  /** Asks for a page. */
  get(path: string): Promise<{ status: number; text: string }>;
}

/** Starts the pages of a device, with its root in place of the documented one. */
export async function startWebPages(
  device: Device,
  programs: { readonly nginx: string; readonly fcgiwrap: string },
): Promise<WebPages> {
  const { port, ...server } = await runNginx(programs, async (place) => {
    const root = { "/srv/git": device.demo.root };
    const files = { "/etc/cgitrc": join(place.dir, "cgitrc"), "/etc/gitweb.conf": join(place.dir, "gitweb.conf") };
    await writeFile(files["/etc/cgitrc"], await documented("cgitrc", root));
    await writeFile(files["/etc/gitweb.conf"], await documented("gitwebrc", root));
    return await documented("nginx-pages", { ...files, ...placesOf(place, device) });
  });
  return {
    async get(path) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, text: await response.text() };
    },
    ...server,
  };
}
