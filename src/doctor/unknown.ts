// Tells of directories below the root that the database does not know, as the last scan of the sidecar found them.

import { listUnknownOf } from "../store/adopt/unknown-directories.ts";
import { Database } from "../store/database/database.ts";
import type { Look } from "./finding.ts";

const SHOWN = 5;

export const lookAtUnknown: Look = async ({ device, "database-url": url }) => {
  if (url === undefined || device === undefined) return "no database to ask";
  await using db = new Database({ url, applicationName: `${device} doctor` });
  // Before the first start there is no table. Another check reports a database that does not answer.
  const found = await listUnknownOf(db, device, "", SHOWN + 1).catch(() => []);
  if (found.length === 0) return "none";
  const paths = found.slice(0, SHOWN).map(({ path }) => path);
  const more = found.length > SHOWN ? " and more" : "";
  return {
    warning: `The database does not know ${paths.join(", ")}${more}; take them in with \`lockstep repo adopt NAME\` or --all, or move them away.`,
  };
};
