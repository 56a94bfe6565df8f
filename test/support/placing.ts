// Changes which devices hold a repository.
import { replicasOf } from "../../src/store/replica/replicas.ts";
import { setRepository } from "../../src/store/repository/repositories.ts";
import type { TestCluster } from "./sync-cluster.ts";
import { change, type TestDevice } from "./sync-device.ts";

/** Makes a function that places a repository on devices. null: on all. */
export const placer =
  (repository: string) =>
  async (on: TestDevice, devices: readonly TestDevice[] | null, keepDays = 14): Promise<void> => {
    const placement = devices === null ? null : devices.map(({ name }) => name);
    const wish = { minCopies: null, landWithFewer: null, placement, keepDays, author: "ada" };
    await setRepository(on.context.db, repository, wish);
  };

/** Returns the state of a device's replica. undefined: it has none. */
export async function stateOf(device: TestDevice, id: string): Promise<string | undefined> {
  return (await replicasOf(device.context.db, id)).find((row) => row.device === device.name)?.state;
}

/** Makes a repository on two devices, with one version that both have. The database knows that the first one has it. */
export async function pair(cluster: TestCluster, repository: string) {
  const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
  const id = await cluster.create(repository, [a, b]);
  const one = await b.commit(repository, "one");
  await b.push(repository, [change("main", null, one)]);
  await a.read(repository);
  return { a, b, id, one };
}
