/**
 * Returns the options for `vi.waitFor` and its like: look every `interval` milliseconds, and give up after so long that
 * even a machine that is slow and busy has got there. A usual machine needs a fraction of that.
 */
export const soon = (interval = 50) => ({ timeout: 90_000, interval });

export const SOON = soon();
