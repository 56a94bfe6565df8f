// A file system in a file, for the root of a device. A test can fill it without harm to other files, and can make it
// lose its power. Needs root, and Linux with ext4 and loop devices.
import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rename, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Mutex } from "async-mutex";
import { readRootRecord, writeRootRecord } from "../../src/git/root/root-record.ts";

const run = promisify(execFile);
const SIZE = 512 * 2 ** 20;
const FILLING = "filling";
/** Processes that use the disk have this time to end. */
const BUSY_MS = 10_000;
/** Stops all writes of the file system: ioctl EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH. */
const SHUT_DOWN =
  'open(my $d, "<", $ARGV[0]) or die $!; my $f = pack("L", 2); defined(ioctl($d, 0x8004587D, $f)) or die $!';

/** The exit code of e2fsck after it found and corrected errors. */
const CORRECTED = 1;

/**
 * How each kind is made and mounted. The kernel writes nothing by itself for half a minute: data without a sync is
 * lost.
 */
const KINDS = {
  ext4: { make: ["-O", "has_journal"], options: "loop,commit=300,noauto_da_alloc" },
  "ext4 without journal": { make: ["-O", "^has_journal"], options: "loop,noauto_da_alloc" },
};

/**
 * With a journal, the sync of any file also syncs all earlier changes of names. Without a journal, a name is lost
 * unless its directory was synced. There a deleted file may come back and claim blocks that belong to another file now.
 * So such a disk is good for half a minute and one loss.
 */
export type DiskKind = keyof typeof KINDS;

export class Disk implements AsyncDisposable {
  readonly path: string;
  readonly #kind: DiskKind;
  readonly #image: string;
  /** Held while the disk loses its power. Removing the filling from the empty mount point would leave the disk full. */
  readonly #mounting = new Mutex();
  /** The filling was removed. A loss of power may bring it back. */
  #isDrained = true;

  private constructor(path: string, kind: DiskKind, image: string) {
    this.path = path;
    this.#kind = kind;
    this.#image = image;
  }

  /** Mounts an empty file system at `path`; a file beside it holds the data. Rejects if this user may not mount. */
  static async mount(path: string, kind: DiskKind): Promise<Disk> {
    const disk = new Disk(path, kind, `${path}.disk`);
    await mkdir(path, { recursive: true });
    await writeFile(disk.#image, "");
    await truncate(disk.#image, SIZE);
    await run("mkfs.ext4", ["-q", "-m", "0", ...KINDS[kind].make, disk.#image]);
    await disk.#mount();
    return disk;
  }

  /**
   * Loses all unwritten data and mounts the disk again, as after a reboot. The processes that used it must have ended.
   */
  async losePower(): Promise<void> {
    await this.#mounting.runExclusive(() => this.#losePower());
  }

  async #losePower(): Promise<void> {
    await run("perl", ["-e", SHUT_DOWN, this.path]);
    const written = `${this.#image}.written`;
    await run("cp", ["--sparse=always", this.#image, written]);
    // The copy was made before, so data that the unmount still writes does not count.
    await this.#unmount();
    await rename(written, this.#image);
    await run("e2fsck", ["-f", "-y", this.#image]).catch((error: { code?: unknown }) => {
      if (error.code !== CORRECTED) throw error;
    });
    await this.#mount();
    if (this.#isDrained) await this.#removeFilling();
    const record = await readRootRecord(this.path);
    if (record) await writeRootRecord(this.path, { ...record, bootId: "an earlier boot of this machine" });
  }

  /** Fills the disk. Returns the number of megabytes that were free. */
  async fill(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path);
    this.#isDrained = false;
    await run("fallocate", ["--length", String(bavail * bsize), join(this.path, FILLING)]).catch(() => {});
    return Math.round((bavail * bsize) / 2 ** 20);
  }

  async drain(): Promise<void> {
    await this.#mounting.runExclusive(() => this.#removeFilling());
    this.#isDrained = true;
  }

  async #removeFilling(): Promise<void> {
    await rm(join(this.path, FILLING), { force: true });
  }

  /** Unmounts lazily, because processes that still use the disk are about to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", ["--lazy", this.path]);
    await rm(this.#image);
  }

  async #mount(): Promise<void> {
    await run("mount", ["-o", KINDS[this.#kind].options, this.#image, this.path]);
    await rm(join(this.path, "lost+found"), { recursive: true, force: true });
    await run("sync", ["-f", this.path]);
  }

  async #unmount(): Promise<void> {
    const deadline = performance.now() + BUSY_MS;
    for (;;) {
      try {
        return void (await run("umount", [this.path]));
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await delay(20);
      }
    }
  }
}

/** Returns the reason why this machine cannot have such a disk, or undefined if it can. */
export async function whyNoDisk(): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), "ls-disk-"));
  try {
    await using disk = await Disk.mount(join(directory, "disk"), "ext4 without journal");
    const [synced, lost] = ["synced", "lost"].map((name) => join(disk.path, name)) as [string, string];
    await writeFile(synced, "");
    await run("sync", ["-f", disk.path]);
    await writeFile(lost, "");
    await disk.losePower();
    const isThere = (path: string) =>
      access(path).then(
        () => true,
        () => false,
      );
    if ((await isThere(synced)) && !(await isThere(lost))) return undefined;
    return "what was not synced is kept";
  } catch (error) {
    return (error as Error).message.split("\n").slice(0, 2).join(": ");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
