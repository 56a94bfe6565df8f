// Makes the volumes of a pod as a kubelet does: who owns them, their modes, and secrets that change in one step.
import { chmod, chown, mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StatefulSet } from "kubernetes-types/apps/v1.js";
import type { KeyToPath, Volume } from "kubernetes-types/core/v1.js";

/** The keys of each secret and config map. */
export type Secrets = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Returns the files of a volume of this csi driver. */
export type CsiDriver = (attributes: Readonly<Record<string, string>>) => Promise<Readonly<Record<string, string>>>;

export interface VolumeContents {
  readonly secrets: Secrets;
  readonly drivers: Readonly<Record<string, CsiDriver>>;
}

type Files = Readonly<Record<string, string>>;

/** The volumes of a pod by their names. */
export class PodVolumes {
  readonly #dir: string;
  readonly #fsGroup: number;
  readonly #contents: VolumeContents;

  constructor(dir: string, fsGroup: number, contents: VolumeContents) {
    this.#dir = dir;
    this.#fsGroup = fsGroup;
    this.#contents = contents;
  }

  /** Makes the volumes of the pod and the claims of the stateful set. What a claim had is kept. */
  async make(set: StatefulSet): Promise<void> {
    for (const volume of set.spec?.template.spec?.volumes ?? []) await this.#make(volume);
    for (const claim of set.spec?.volumeClaimTemplates ?? []) await this.#claim(claim.metadata?.name as string);
  }

  /** Returns the directory of a volume. */
  path(name: string): string {
    return join(this.#dir, name);
  }

  async #make(volume: Volume): Promise<void> {
    const path = this.path(volume.name);
    if (volume.emptyDir) {
      await rm(path, { recursive: true, force: true });
      await mkdir(path);
      await this.#share(path, 0o2777);
      return;
    }
    const projected = volume.projected?.sources?.map(({ secret, configMap }) => secret ?? configMap);
    const sources = projected ?? [volume.secret && named(volume.secret)];
    const mode = volume.projected?.defaultMode ?? volume.secret?.defaultMode ?? 0o644;
    if (volume.csi) await this.#write(path, await this.#driverFiles(volume.csi), 0o440);
    else if (sources.every((source) => source !== undefined)) {
      const files = sources.map(({ name, items }) => this.#secretFiles(name as string, items));
      await this.#write(path, Object.assign({}, ...files), mode);
    } else throw new Error(`volume ${volume.name} is of a kind that this test does not know`);
  }

  async #driverFiles({ driver, volumeAttributes = {} }: NonNullable<Volume["csi"]>): Promise<Files> {
    const make = this.#contents.drivers[driver];
    if (!make) throw new Error(`there is no csi driver ${driver}`);
    return await make(volumeAttributes);
  }

  #secretFiles(name: string, items: readonly KeyToPath[] | undefined): Files {
    const secret = this.#contents.secrets.get(name);
    if (!secret) throw new Error(`there is no secret ${name}`);
    if (!items) return secret;
    return Object.fromEntries(
      items.map(({ key, path }) => {
        if (secret[key] === undefined) throw new Error(`the secret ${name} has no key ${key}`);
        return [path, secret[key]];
      }),
    );
  }

  /** Writes files as a kubelet does: into a new directory, to which one link is then led. */
  async #write(path: string, files: Files, mode: number): Promise<void> {
    await mkdir(path, { recursive: true });
    const before = await readlink(join(path, "..data")).catch(() => undefined);
    const version = `..${Date.now()}`;
    await mkdir(join(path, version));
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(path, version, name), content);
      await this.#share(join(path, version, name), mode);
      await symlink(join("..data", name), join(path, name)).catch(unlessItExists);
    }
    await this.#share(path, 0o3777);
    await this.#share(join(path, version), 0o2755);
    await symlink(version, join(path, "..data.new"));
    await rename(join(path, "..data.new"), join(path, "..data"));
    if (before !== undefined) await rm(join(path, before), { recursive: true });
  }

  /** A claim is a new file system at first, with the directory that ext4 makes. */
  async #claim(name: string): Promise<void> {
    const path = this.path(name);
    if ((await readdir(path).catch(() => undefined)) !== undefined) return;
    await mkdir(path);
    await this.#share(path, 0o2775);
    await mkdir(join(path, "lost+found"));
    await this.#share(join(path, "lost+found"), 0o2770);
  }

  async #share(path: string, mode: number): Promise<void> {
    await chown(path, 0, this.#fsGroup);
    await chmod(path, mode);
  }
}

function named({ secretName, items }: NonNullable<Volume["secret"]>): { name: string; items: KeyToPath[] | undefined } {
  return { name: secretName as string, items };
}

function unlessItExists(error: NodeJS.ErrnoException): void {
  if (error.code !== "EEXIST") throw error;
}

/** Returns whether a volume has something that was not there when it was made. */
export async function wasUsed(path: string): Promise<boolean> {
  return (await readdir(path)).some((name) => name !== "lost+found");
}
