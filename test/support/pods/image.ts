// The programs of this machine in place of the container image: what the image's Dockerfile says of command, user and
// environment, and a root directory that has this checkout at /lockstep and the system's programs in /usr.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram } from "../programs.ts";

const CHECKOUT = fileURLToPath(new URL("../../../", import.meta.url));
/** The folder of the image's own programs in the containers of this test. */
const PROGRAMS = "/image/bin";
const NODE = "/image/node";

/** What runs in a container unless its manifest says otherwise. */
export interface Image {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Shell commands that fill the root directory, which is the current one, with the programs. */
  readonly build: readonly string[];
  /** The content of /etc/passwd. */
  readonly passwd: string;
}

/** Reads the last stage of a Dockerfile below the checkout. */
export function readImage(dockerfile: string): Image {
  const text = readFileSync(`${CHECKOUT}${dockerfile}`, "utf8").replaceAll(/\\\n\s*/g, " ");
  const last = text.slice(text.lastIndexOf("\nFROM "));
  const list = (instruction: string): string[] =>
    JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, "m").exec(last)?.[1] ?? "[]");
  const env = [...last.matchAll(/^ENV (.*)$/gm)].flatMap(([, words]) => (words as string).split(" "));
  const [, uid, home, shell, name] = /useradd --uid (\d+) --home-dir (\S+) .*--shell (\S+) (\w+)/.exec(last) ?? [];
  const entrypoint = list("ENTRYPOINT");
  return {
    // tini may be missing here. What it starts is then the first process itself.
    entrypoint: "missing" in findProgram("tini", "tini") && entrypoint[0] === "tini" ? entrypoint.slice(2) : entrypoint,
    command: list("CMD"),
    env: {
      PATH: `${PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: "/",
      ...Object.fromEntries(env.map((each) => each.split(/=(.*)/s) as [string, string])),
    },
    build: BUILD,
    passwd: `root:x:0:0:root:/root:/bin/sh\n${name ? `${name}:x:${uid}:${uid}::${home}:${shell}\n` : ""}`,
  };
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const show = (from: string, to: string): string[] => [
  `mount --rbind ${quote(from)} .${to}`,
  `mount -o remount,ro,bind .${to}`,
];

const BUILD = [
  "mkdir -p usr etc proc dev image/bin image/node lockstep",
  ...show("/usr", "/usr"),
  "for link in bin sbin lib lib32 lib64 libx32; do if [ -L /$link ]; then cp -a /$link $link; fi; done",
  "cp -a /etc/. etc",
  ...show(CHECKOUT, "/lockstep"),
  ...show(dirname(process.execPath), NODE),
  `ln -s ${NODE}/node image/bin/node`,
  "ln -s /lockstep/dist/main.js image/bin/lockstep",
  "mount -t proc proc proc",
  "mount --rbind /dev dev",
];
