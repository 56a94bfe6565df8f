// The list of repositories on the status page.
import { describe, expect, it } from "vitest";
import { client, HOSTILE, page, SHOWN, sql, startStatusPage, untilShown } from "../support/status-rows.ts";

/** Repositories that make several pages. */
const MANY = 120;

startStatusPage();

describe("the list of repositories", () => {
  it.each([
    ["behind", ["behind"]],
    ["broken", ["broken"]],
    ["unsafe", ["behind", "broken", "unsafe"]],
    ["writing", ["writing"]],
    ["stopped", ["locked", "stopped"]],
  ])("shows those that are %s", async (state, expected) => {
    await untilShown("/status", "state/stopped");
    const { body } = await page.ask(`/status/repositories?state=${state}`);
    expect(listed(body)).toEqual(expected.map((name) => `state/${name}`));
  });

  it("shows directories that the database does not know, as text", async () => {
    const { body } = await page.ask("/status/repositories?state=unknown");
    expect(body).toContain(`/srv/${SHOWN}.git`);
  });

  it("has every repository once, page after page, in the order of the database", async () => {
    for (let i = 0; i < MANY; i += 1)
      await sql(
        `insert into lockstep.repository (id, name, object_format, digest_key, head_digest)
         values (gen_random_uuid(), $1, 'sha1', 'k', 'd')`,
        [`many/${i % 2 ? "b" : "A"}-${i}+x`],
      );
    const seen: string[] = [];
    let path: string | undefined = "/status/repositories";
    for (let pages = 0; path !== undefined; pages += 1) {
      expect(pages).toBeLessThan(10);
      const { body } = await page.ask(path);
      expect(listed(body).length).toBeLessThanOrEqual(50);
      seen.push(...listed(body));
      path = /rel="next" href="([^"]*)"/.exec(body)?.[1]?.replaceAll("&amp;", "&");
    }
    const all = await client.query<{ name: string }>("select name from lockstep.repository order by name");
    expect(seen).toEqual(all.rows.map(({ name }) => name));
    await sql("delete from lockstep.repository where name like 'many/%'");
  });

  it("counts all of them, however many there are", async () => {
    await sql(
      `insert into lockstep.repository (id, name, object_format, digest_key, head_digest)
       select gen_random_uuid(), 'thousands/' || i, 'sha1', 'k', 'd' from generate_series(1, 4100) i`,
    );
    const { rows: counted } = await client.query<{ all: number }>(
      "select count(*)::int as all from lockstep.repository",
    );
    const all = (counted[0]?.all ?? 0).toLocaleString("en-US");
    const body = await untilShown("/status", `<b>${all}</b> <span>in all`);
    expect(body).toMatch(/<b>4,1\d\d<\/b> <span>unsafe/);
    await sql("delete from lockstep.repository where name like 'thousands/%'");
    await untilShown("/status", "<b>7</b> <span>in all");
  });

  it("finds names that contain a text, whatever the case and whatever the text means to SQL", async () => {
    expect(listed((await page.ask("/status/repositories?q=ATREST")).body)).toEqual(["state/atRest"]);
    for (const odd of ["%25", "_", "'", "%5C", "state/a%25"])
      expect(listed((await page.ask(`/status/repositories?q=${odd}`)).body), odd).toEqual([]);
    // No name has a NUL, and PostgreSQL takes none.
    expect((await page.ask("/status/repositories?q=%00&after=%00")).status).toBe(200);
  });

  it("shows the text that was searched for as text", async () => {
    const { body } = await page.ask(`/status/repositories?q=${encodeURIComponent(HOSTILE)}`);
    expect(body).toContain(`value="${SHOWN}"`);
    expect(body).not.toContain("<script>alert");
  });

  it("takes a state that does not exist for none", async () => {
    expect((await page.ask("/status/repositories?state=%3Cscript%3E")).status).toBe(200);
  });
});

function listed(body: string): string[] {
  return [...body.matchAll(/<th scope="row"><a href="[^"]*"><bdi>([^<]*)<\/bdi>/g)].map(([, name]) => String(name));
}
