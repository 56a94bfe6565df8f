// A file system of its own, in a file, for the repositories of a device: it can be filled without harm to anyone else, and it can lose
// its power. Root only, on Linux with ext4 and loop devices.
import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const SIZE = 512 * 2 ** 20;
const FILLING = "filling";
/** The journal is not written of itself, and a rename is no reason to write a file: what nobody synced is lost. */
const MOUNT_OPTIONS = "loop,commit=300,noauto_da_alloc";
/** ioctl EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH: from here on nothing reaches the disk. */
const SHUT_DOWN =
  'open(my $d, "<", $ARGV[0]) or die $!; my $f = pack("L", 2); defined(ioctl($d, 0x8004587D, $f)) or die $!';
const BUSY_MS = 10_000;

export class Disk implements AsyncDisposable {
  readonly path: string;
  readonly #image: string;

  private constructor(path: string, image: string) {
    this.path = path;
    this.#image = image;
  }

  /** An empty file system at `path`, kept in a file beside it. Rejects where this user may not mount. */
  static async mount(path: string): Promise<Disk> {
    const disk = new Disk(path, `${path}.ext4`);
    await mkdir(path, { recursive: true });
    await writeFile(disk.#image, "");
    await truncate(disk.#image, SIZE);
    await run("mkfs.ext4", ["-q", "-m", "0", "-E", "nodiscard", disk.#image]);
    await disk.#mount();
    await rm(join(path, "lost+found"), { recursive: true });
    await run("sync", ["-f", path]);
    return disk;
  }

  /** Loses what has not been synced, and is mounted again. Whoever used it is dead. */
  async losePower(): Promise<void> {
    await run("perl", ["-e", SHUT_DOWN, this.path]);
    await this.#unmount();
    await this.#mount();
  }

  /** Takes all the room there is. Returns how many megabytes that were. */
  async fill(): Promise<number> {
    const { bavail, bsize } = await statfs(this.path);
    await run("fallocate", ["--length", String(bavail * bsize), join(this.path, FILLING)]).catch(() => {});
    return Math.round((bavail * bsize) / 2 ** 20);
  }

  async drain(): Promise<void> {
    await rm(join(this.path, FILLING), { force: true });
  }

  /** Whoever still works there is about to end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", ["--lazy", this.path]);
    await rm(this.#image);
  }

  async #mount(): Promise<void> {
    await run("mount", ["-o", MOUNT_OPTIONS, this.#image, this.path]);
  }

  /** Never lazily: one image must not be mounted twice. */
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

/** Why there can be no such disk here; undefined: there can. */
export async function whyNoDisk(): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), "ls-disk-"));
  try {
    await using disk = await Disk.mount(join(directory, "disk"));
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
    return "the kernel does not do as it was told";
  } catch (error) {
    return (error as Error).message.split("\n").slice(0, 2).join(": ");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
