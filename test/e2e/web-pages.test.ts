// cgit and gitweb of Debian behind nginx, with the configuration of docs/integration.md, before each of three devices.
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LaggingCluster, startLaggingCluster } from "../support/lag.ts";
import { findProgram } from "../support/programs.ts";
import { startWebPages, type WebPages } from "../support/web-pages.ts";

const nginx = findProgram("nginx", "nginx-light");
const fcgiwrap = findProgram("fcgiwrap", "fcgiwrap");
const scripts = { cgit: "/usr/lib/cgit/cgit.cgi", gitweb: "/usr/share/gitweb/gitweb.cgi" };
const missing = [
  ...[nginx, fcgiwrap].flatMap((found) => ("missing" in found ? [found.missing] : [])),
  ...Object.entries(scripts).flatMap(([name, path]) => (existsSync(path) ? [] : [`${name} is not installed`])),
];
if (missing.length > 0) console.warn(`The tests with cgit and gitweb are skipped: ${missing.join("; ")}.`);

describe.skipIf(missing.length > 0)("cgit and gitweb", () => {
  let lagging: LaggingCluster;
  let pages: WebPages[];
  let repository: string;
  beforeAll(async () => {
    lagging = await startLaggingCluster(1);
    repository = lagging.repositories[0] as string;
    const programs = { nginx: (nginx as { path: string }).path, fcgiwrap: (fcgiwrap as { path: string }).path };
    pages = await Promise.all(lagging.cluster.devices.map((device) => startWebPages(device, programs)));
  });
  afterAll(async () => {
    for (const each of pages ?? []) await each[Symbol.asyncDispose]();
    await lagging?.[Symbol.asyncDispose]();
  });

  it.each([
    ["cgit", (tip: string) => `/commit/?id=${tip}`, "/log/"],
    ["gitweb", (tip: string) => `/commit/${tip}`, "/log"],
  ])("%s shows a pushed commit on every device at once, also on one that lags", async (page, commitPage, logPage) => {
    const tip = await lagging.pushUnnoticed(repository);
    const of = (path: string) => Promise.all(pages.map((each) => each.get(`/${page}/${repository}.git${path}`)));
    for (const { status, text } of await of(logPage)) {
      expect(status).toBe(200);
      expect(text).toContain(tip);
    }
    for (const { text } of await of(commitPage(tip))) expect(text).toContain(tip);
  });

  it.each(["cgit", "gitweb"])("%s lists the repositories, and nothing of Lockstep's own", async (page) => {
    for (const each of pages) {
      const { status, text } = await each.get(`/${page}/`);
      expect(status).toBe(200);
      expect(text).toContain(`${repository}.git`);
      expect(text).not.toContain(".lockstep");
    }
  });

  it("shows no repository that only a parameter names, since nobody was asked about it", async () => {
    for (const path of [
      "/cgit/?url=",
      "/gitweb/?p=",
      `/cgit/${repository}.git/?r=`,
      `/gitweb/${repository}.git?a=log;p=`,
    ])
      expect(await pages[0]?.get(`${path}${repository}.git`)).toMatchObject({ status: 404 });
  });

  it("says why there is no page while the sidecar is away", async () => {
    await lagging.three.kill();
    const { status, text } = (await pages[2]?.get(`/cgit/${repository}.git/log/`)) ?? {};
    expect({ status, text }).toEqual({ status: 503, text: expect.stringMatching(/does not answer; try again/) });
    await lagging.three.start();
  });
});
