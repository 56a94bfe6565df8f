import { administer } from "./administer.ts";

export async function setDefaults(url: string, settings: Readonly<Record<string, string>>): Promise<void> {
  await administer(url, async (client) => {
    const name = client.escapeIdentifier(new URL(url).pathname.slice(1));
    for (const [setting, value] of Object.entries(settings))
      await client.query(`alter database ${name} set ${setting} = ${value}`);
  });
}
