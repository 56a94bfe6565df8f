// Builds a release into release/: the package of npm, the image, a list of what is in them (SBOM), and checksums. It
// publishes nothing, and says at its end what is left to a person. `--dry-run` looks whether a release is possible, and
// prints the steps.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv, env, exit, stderr, stdout } from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, "release");
const { name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const tag = `v${version}`;
const image = `localhost/lockstep:${version}`;
const tarball = `${name}-${version}.tgz`;

const obstacle = findObstacle();
if (obstacle) {
  stderr.write(`release: ${obstacle}\n`);
  exit(1);
}
const commit = said("git", "rev-parse", "HEAD");
const hasBuildah = spawnSync("buildah", ["--version"]).status === 0;

/** Each step: what it does, and the function that does it. */
const STEPS = [
  ["build from nothing", buildFromNothing],
  ["check the project (npm run check)", () => run("npm", "run", "check")],
  [`pack ${tarball}`, pack],
  [hasBuildah ? `build the image ${image}` : "skip the image, because buildah is not installed", buildImage],
  ["list the packages in it (SBOM)", listPackages],
  ["write SHA256SUMS", writeSums],
];

if (argv.includes("--dry-run")) stdout.write(`${STEPS.map(([what]) => `would ${what}\n`).join("")}${whatIsLeft()}`);
else {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  for (const [what, act] of STEPS) {
    stderr.write(`release: ${what}\n`);
    act();
  }
  stdout.write(whatIsLeft());
}

/** Returns why this state cannot be released, and what to do. */
function findObstacle() {
  const changes = said("git", "status", "--porcelain");
  if (changes !== "")
    return `There are changes that are not committed (${changes.split("\n").length} files); commit or remove them.`;
  if (said("git", "tag", "--list", tag) !== "")
    return `The tag ${tag} exists already; raise the version with \`npm version --no-git-tag-version\`, and commit it.`;
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).version;
  if (locked !== version)
    return `package-lock.json has the version ${locked}, not ${version}; run \`npm install --package-lock-only\`.`;
  const changelog = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  if (!new RegExp(`^## \\[${version.replaceAll(".", "\\.")}\\] - \\d{4}-\\d\\d-\\d\\d$`, "m").test(changelog))
    return `CHANGELOG.md has no heading "## [${version}] - YYYY-MM-DD"; write what users notice below one.`;
  const unreleased = /^## \[Unreleased\]\n(.*?)^## /ms.exec(changelog)?.[1] ?? "";
  if (/^- /m.test(unreleased))
    return `CHANGELOG.md has changes below "Unreleased"; move them below the heading of ${version}.`;
  return undefined;
}

function buildFromNothing() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  run("npm", "run", "build");
  run("npm", "run", "generate");
  const changes = said("git", "status", "--porcelain");
  if (changes !== "") fail(`generated files were not up to date (${changes}); commit them and begin again`);
}

function pack() {
  run("npm", "pack", "--pack-destination", out);
  const files = said("tar", "-tzf", join(out, tarball));
  for (const architecture of ["x64", "arm64"])
    if (!files.includes(`dist/native/${architecture}/lockstep-git`))
      fail(`the package has no native program for ${architecture}; install the cross compiler that the build named`);
}

function buildImage() {
  if (!hasBuildah) return;
  const labels = ["--build-arg", `VERSION=${version}`, "--build-arg", `REVISION=${commit}`];
  const bases = ["BASE", "RUNTIME"].flatMap((base) => {
    const given = env[`LOCKSTEP_IMAGE_${base}`];
    return given ? ["--build-arg", `${base}=${given}`] : [];
  });
  run("buildah", "bud", "--format", "docker", "--isolation", "chroot", ...labels, ...bases, "--tag", image, ".");
  run("buildah", "push", image, `docker-archive:${join(out, `lockstep-${version}-image.tar`)}`);
}

function listPackages() {
  const list = said("npm", "sbom", "--sbom-format", "cyclonedx", "--omit", "dev");
  writeFileSync(join(out, `${name}-${version}.cdx.json`), `${list}\n`);
}

function writeSums() {
  const lines = readdirSync(out).map((file) => {
    const sum = createHash("sha256")
      .update(readFileSync(join(out, file)))
      .digest("hex");
    return `${sum}  ${file}\n`;
  });
  writeFileSync(join(out, "SHA256SUMS"), lines.join(""));
}

function whatIsLeft() {
  const steps = [
    `git tag -s ${tag} -m "Lockstep ${version}" ${commit} && git push origin ${tag}`,
    `npm publish release/${tarball}`,
    ...(hasBuildah ? [`buildah push ${image} docker://REGISTRY/lockstep:${version}`] : []),
    `attach the files of release/ to the release ${tag}`,
  ];
  return `What is left to you:\n${steps.map((step) => `  ${step}\n`).join("")}`;
}

function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) fail(`${program} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}`);
}

/** Returns what a program prints. */
function said(program, ...args) {
  const {
    status,
    stdout: text,
    stderr: why,
  } = spawnSync(program, args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 28 });
  if (status !== 0) fail(`${program} ${args.join(" ")} failed: ${why}`);
  return text.trim();
}

function fail(why) {
  stderr.write(`release: ${why}.\n`);
  exit(1);
}
