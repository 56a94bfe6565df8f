// The requests that one device sends to the git port of another.
import { LockstepError } from "../../errors.ts";

/** The path for pack requests at a peer. */
export const PACK_PATH = "/v1/pack";
/** Header of a refusal that means "busy": the names of other devices to ask, separated by spaces. */
export const ASK_HEADER = "lockstep-ask";

/** The path for requests to fetch objects and keep them. */
export const HOLD_PATH = "/v1/hold";

/** The request to fetch objects from the asking device and to keep them. */
export interface HoldRequestBody {
  readonly repositoryId: string;
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /** Refs that held the `haves`. Each name is a string of its bytes. */
  readonly refs: readonly string[];
}

/** The path for questions about a directory. */
export const DIRECTORY_PATH = "/v1/directory";

/** The request for a pack. */
export interface PackRequestBody {
  readonly repositoryId: string;
  /** The version to which the wanted objects belong; text, because JSON has no bigint. */
  readonly version: string;
  readonly wants: readonly string[];
  readonly haves: readonly string[];
  /**
   * `first`: the peer may refer the caller to devices that were given this version. `referred`: the caller was referred
   * to this device, which may still be receiving the version. `last`: those devices did not help.
   */
  readonly visit: "first" | "referred" | "last";
  /** True: the peer has asked the caller to keep copies of these objects. It sends them only if it did. */
  readonly copy?: boolean;
}

/** The status with which a device says that it does not ask for these copies. */
export const NO_COPY_STATUS = 409;

/** A device was asked for objects to copy, and does not want copies of them. */
export class CopyNotWanted extends LockstepError {
  constructor(device: string, message = `Device ${device} does not ask for copies of these objects now.`) {
    super("INVALID_REQUEST", message, { details: { device } });
  }
}
