// How the driver reads values: int8 as bigint, and no time as text.
import pg from "pg";

const INT8_OID = 20;
/** date, time, timestamp, timestamptz, interval, timetz. */
const TIME_OIDS: ReadonlySet<number> = new Set([1082, 1083, 1114, 1184, 1186, 1266]);
/** Goes into the configuration of each pool. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (TIME_OIDS.has(oid)) return refuseTime;
    return oid === INT8_OID && format !== "binary" ? BigInt : pg.types.getTypeParser(oid, format);
  }) as never,
};

function refuseTime(): never {
  throw new TypeError(
    "a statement answers with a time as text, which depends on DateStyle; instant.ts has it as a number",
  );
}
