// Chromium, as an operator has it before him: what it shows, what it complains about, what axe finds.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findProgram } from "./programs.ts";

export const CHROMIUM = findProgram("chromium", "chromium");

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Viewer extends AsyncDisposable {
  readonly page: Page;
  /** Errors and warnings on the console, and dialogs: a page that is in order has none. */
  readonly complaints: string[];
}

/** Starts Chromium without a window. Throws if it is not installed. */
export async function startBrowser(): Promise<Browser> {
  if ("missing" in CHROMIUM) throw new Error(CHROMIUM.missing);
  // As root it refuses to start with its sandbox. It only opens pages of this test.
  return await chromium.launch({ executablePath: CHROMIUM.path, args: ["--no-sandbox", "--disable-gpu"] });
}

/** Opens an address in a fresh profile. */
export async function view(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Viewer> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 760 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(`a request to ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** Returns what keeps people from using the page, as axe finds it: the rule, and the first element. */
export async function barriers(page: Page): Promise<string[]> {
  // `evaluate` is not bound by the page's policy.
  await page.evaluate(AXE);
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: (options: object) => Promise<Found> } };
    interface Found {
      violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
    }
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
  });
}
