// Negative controls of backups: the database or the disks are those of an earlier moment.

const tests = { project: "e2e", tests: "test/e2e/backup.test.ts" };

/** @type {import("./controls.mjs").Control[]} */
export const backupControls = [
  {
    rule: "where a restored database lacks pushes that a disk has, the repository stops",
    patches: [
      {
        file: "src/store/log/log-standing.ts",
        from: "[repository_id, { standing, head }]",
        to: '[repository_id, { standing: standing && "settled", head }]',
      },
    ],
    ...tests,
    name: "of the database: the disks keep all that came later",
  },
  {
    rule: "a restored disk is no leader of versions that it lacks",
    patches: [
      {
        file: "src/sync/catch-up/compare-notes.ts",
        from: "version > (record?.version ?? 0n)",
        to: "version < (record?.version ?? 0n)",
      },
    ],
    ...tests,
    name: "of all disks: versions that only they had are named",
  },
];
