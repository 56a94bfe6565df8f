// Private keys for certificates: P-256, which every TLS library knows, and Ed25519.
import { createPrivateKey, createPublicKey, KeyObject, webcrypto } from "node:crypto";
import { LockstepError } from "../errors.ts";

const KINDS = {
  p256: { key: { name: "ECDSA", namedCurve: "P-256" }, signing: { name: "ECDSA", hash: "SHA-256" } },
  ed25519: { key: { name: "Ed25519" }, signing: { name: "Ed25519" } },
} as const;

export type KeyType = keyof typeof KINDS;

export interface SigningKeys {
  readonly publicKey: webcrypto.CryptoKey;
  readonly privateKey: webcrypto.CryptoKey;
  /** How a certificate is signed with the private key. */
  readonly signing: (typeof KINDS)[KeyType]["signing"];
}

/** Makes a key. */
export async function generateKeys(type: KeyType): Promise<SigningKeys> {
  const { key, signing } = KINDS[type];
  const pair = (await webcrypto.subtle.generateKey(key, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
  return { ...pair, signing };
}

/** Reads a private key in PEM. Throws USAGE for other kinds of keys than `generateKeys` makes. */
export async function importKeys(keyPem: string): Promise<SigningKeys> {
  const own = createPrivateKey(keyPem);
  const { key, signing } = KINDS[typeOf(own)];
  const der = (object: KeyObject, type: "pkcs8" | "spki") => object.export({ type: type as "spki", format: "der" });
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey("pkcs8", der(own, "pkcs8"), key, true, ["sign"]),
    webcrypto.subtle.importKey("spki", der(createPublicKey(own), "spki"), key, true, ["verify"]),
  ]);
  return { privateKey, publicKey, signing };
}

/** Writes a private key as PKCS #8 in PEM. */
export function exportKey({ privateKey }: SigningKeys): string {
  return KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" }).toString();
}

function typeOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): KeyType {
  if (asymmetricKeyType === "ed25519") return "ed25519";
  if (asymmetricKeyType === "ec" && asymmetricKeyDetails?.namedCurve === "prime256v1") return "p256";
  throw new LockstepError(
    "USAGE",
    `A key of the kind ${asymmetricKeyType ?? "unknown"} cannot be used here; use a P-256 or Ed25519 key.`,
  );
}
