// Which login this program has to the database: that of the owner of the schema, or that of one device.
import pg from "pg";
import { connectTo, Servers } from "../database/servers.ts";
import { asTold } from "../database/sqlstate.ts";

export interface DatabaseLogin {
  readonly login: string;
  /** The device for which the login acts. null: it is not limited to one. */
  readonly device: string | null;
  readonly ownsSchema: boolean;
  /** The devices that have a login of their own. */
  readonly devices: string[];
}

/**
 * Returns the login of that URL. undefined: the database has no schema, or an older one. Throws DATABASE_UNAVAILABLE.
 */
export async function readLogin(url: string): Promise<DatabaseLogin | undefined> {
  const client = await connectTo(new Servers(url));
  try {
    const { rowCount } = await client.query(
      "select from pg_class where relname = 'device_login' and relnamespace = to_regnamespace('lockstep')",
    );
    if (rowCount === 0) return undefined;
    const { rows } = await client.query<DatabaseLogin>(
      `select session_user::text as login, (select l.device from lockstep.device_login l where l.login = session_user) as device,
         pg_has_role(session_user, n.nspowner, 'member') as "ownsSchema",
         array(select distinct l.device from lockstep.device_login l order by 1) as devices
       from pg_namespace n where n.nspname = 'lockstep'`,
    );
    return rows[0];
  } catch (error) {
    if (error instanceof pg.DatabaseError) throw asTold(error);
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}
