// Lists of revoked certificates (CRL, RFC 5280), in PEM.
import type { X509Certificate } from "node:crypto";
import type { X509Crl } from "@peculiar/x509";
import { loadX509 } from "./authority.ts";

/** One list. Times are in milliseconds since 1970; a list that names no end never ends. */
export interface RevocationList {
  readonly pem: string;
  readonly issuer: string;
  readonly beginsAt: number;
  readonly endsAt: number;
}

export interface RevocationLists {
  readonly lists: readonly RevocationList[];
  /** Returns true if a list has one of these certificates, which are a certificate and its signers. */
  isRevoked(chain: readonly X509Certificate[]): boolean;
}

/**
 * Reads the lists in `pem`. Each of `authorities` must have signed one: TLS refuses all users of an authority without a
 * list. Throws an error with the reason.
 */
export async function readRevocationLists(
  pem: string,
  authorities: readonly X509Certificate[],
): Promise<RevocationLists> {
  const x509 = await loadX509();
  const blocks = pem.match(/-----BEGIN X509 CRL-----.*?-----END X509 CRL-----/gs) ?? [];
  if (blocks.length !== pem.split("-----BEGIN X509 CRL-----").length - 1) throw new Error("it has half a list");
  const read = blocks.map((block) => new x509.X509Crl(block));
  for (const authority of authorities) {
    const { subject, publicKey } = new x509.X509Certificate(authority.raw);
    const own = read.filter(({ issuer }) => issuer === subject);
    const signed = await Promise.all(own.map((list) => list.verify({ publicKey })));
    if (!signed.includes(true)) throw new Error(`it has no list that the authority ${subject} has signed`);
  }
  return {
    lists: read.map((list, index) => ({
      pem: blocks[index] as string,
      issuer: list.issuer,
      beginsAt: list.thisUpdate.getTime(),
      endsAt: list.nextUpdate?.getTime() ?? Number.POSITIVE_INFINITY,
    })),
    isRevoked: (chain) => chain.some(({ raw }) => isIn(read, new x509.X509Certificate(raw))),
  };
}

function isIn(lists: readonly X509Crl[], { issuer, serialNumber }: { issuer: string; serialNumber: string }): boolean {
  return lists.some((list) => list.issuer === issuer && list.findRevoked(serialNumber) !== null);
}
