// What the server of plain HTTP sends for a page or a file of it.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PAGE_FILES } from "../../installation.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/**
 * Nothing is loaded from elsewhere, no script or style stands in the page itself, and no other page may show this one.
 * So a name that was not escaped could still run nothing.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": POLICY,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Makes the answer for a page. */
export function pageAnswer(status: number, text: string): Answer {
  return { status, headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" }, body: text };
}

const FILES: Readonly<Record<string, { readonly type: string; readonly path: () => string }>> = {
  "status.css": { type: "text/css; charset=utf-8", path: () => join(PAGE_FILES, "status.css") },
  "status.js": { type: "text/javascript; charset=utf-8", path: () => join(PAGE_FILES, "status.js") },
  "icon.svg": { type: "image/svg+xml", path: () => join(PAGE_FILES, "icon.svg") },
  "morphdom.js": {
    type: "text/javascript; charset=utf-8",
    path: () => createRequire(import.meta.url).resolve("morphdom/dist/morphdom-umd.min.js"),
  },
};
const read = new Map<string, Buffer>();

/** Makes the answer for a file of the page, or returns undefined if there is none of that name. */
export async function fileAnswer(name: string): Promise<Answer | undefined> {
  const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  if (file === undefined) return undefined;
  const body = read.get(name) ?? (await readFile(file.path()));
  read.set(name, body);
  return { status: 200, headers: { ...HEADERS, "content-type": file.type }, body };
}
