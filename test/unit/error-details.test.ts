import { join } from "node:path";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { ERROR_TABLE, type ErrorCode, GrpcStatus, LockstepError, retryAfterMs } from "../../src/errors.ts";
import { PROTO_DIR } from "../../src/installation.ts";
import { decodeDetails, encodeDetails } from "../../src/protocol/error-details.ts";
import { toMs } from "../../src/protocol/times.ts";

const codes = Object.keys(ERROR_TABLE) as ErrorCode[];
const root = new protobuf.Root();
root.resolvePath = (_, target) => join(PROTO_DIR, target);
root.loadSync("google/rpc/error_details.proto");
const status = root.lookupType("google.rpc.Status");

interface Detail {
  readonly type_url: string;
  readonly value: Uint8Array;
}

/** google.rpc.Status as any other client reads it. */
function read(bytes: Buffer): { code: number; message: string; details: Detail[] } {
  return status.toObject(status.decode(bytes)) as never;
}

function info(fields: object): Buffer {
  const type = root.lookupType("google.rpc.ErrorInfo");
  const value = type.encode(type.fromObject(fields)).finish();
  const details = [{ type_url: "type.googleapis.com/google.rpc.ErrorInfo", value }];
  return Buffer.from(status.encode(status.fromObject({ code: 13, message: "m", details })).finish());
}

describe("error details", () => {
  it.each(codes)("bring %s and its details to the peer", (code) => {
    const sent = new LockstepError(code, "It failed.", { details: { repository: "team/app", head: "7" } });
    const received = decodeDetails("It failed.", encodeDetails(sent));
    expect(received).toBeInstanceOf(LockstepError);
    expect(received).toMatchObject({ code, message: "It failed.", details: sent.details });
  });

  it.each(codes)("say to any client of google.rpc.Status what %s is and when to retry", (code) => {
    const { code: number, message, details } = read(encodeDetails(new LockstepError(code, "It failed: ä.")));
    expect({ number, message }).toEqual({ number: GrpcStatus[ERROR_TABLE[code].grpc], message: "It failed: ä." });
    const retryInfo = details.find(({ type_url }) => type_url === "type.googleapis.com/google.rpc.RetryInfo");
    expect(retryInfo !== undefined).toBe(retryAfterMs(code) !== undefined);
    if (retryInfo === undefined) return;
    const type = root.lookupType("google.rpc.RetryInfo");
    const { retryDelay } = type.toObject(type.decode(retryInfo.value), { longs: String, defaults: true }) as {
      retryDelay: { seconds: string; nanos: number };
    };
    expect(toMs(retryDelay)).toBe(retryAfterMs(code));
  });

  it("error details of an error without any are empty", () => {
    expect(decodeDetails("m", encodeDetails(new LockstepError("FENCED", "m")))?.details).toEqual({});
  });

  it.each([
    ["another domain", info({ reason: "FENCED", domain: "example.com" })],
    ["a code that is not in the table", info({ reason: "NO_SUCH_CODE", domain: "lockstep" })],
    ["a code that every object has", info({ reason: "constructor", domain: "lockstep" })],
    ["no code", info({ domain: "lockstep" })],
    ["no details", Buffer.from(status.encode(status.fromObject({ code: 13 })).finish())],
    ["no bytes", Buffer.alloc(0)],
    ["bytes that are no message", Buffer.from("not a message")],
  ])("are not ours with %s", (_, bytes) => {
    expect(decodeDetails("m", bytes)).toBeUndefined();
  });
});
