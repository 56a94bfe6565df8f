// A check of keys that trusts every certificate of the authorities, for tests that are not about keys.
import type { TrustCheck } from "../../src/tls/trust.ts";

export const trustAuthorities: TrustCheck = {
  check: () => undefined,
  onChange: () => ({ [Symbol.dispose]: () => {} }),
};
