// The checks of settings: what their values must look like.
import { isIP } from "node:net";

/** Returns the end of the sentence "--flag must …" for a wrong value, and undefined for a good one. */
export type Check = (text: string) => string | undefined;

/** Takes HOST:PORT, with an IPv6 address in brackets. */
export const hostPort: Check = (text) =>
  !/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/.test(text)
    ? "must be HOST:PORT"
    : parseHostPort(text).port > 65_535
      ? "must be HOST:PORT, with a port up to 65535"
      : undefined;
const HOST_NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(\.(?!-)[A-Za-z0-9_-]{1,63})*\.?$/;
/** Takes a host name or an IP address, without a port. */
export const hostName: Check = (text) =>
  isIP(text.replace(/^\[(.*)\]$/, "$1")) > 0 || (HOST_NAME.test(text) && text.length <= 253)
    ? undefined
    : "must be a host name or an IP address, without a port";
/** Takes names of hosts, with commas between them; `*` stands for any. */
export const hostNames: Check = (text) =>
  text === "" || text.split(",").every((each) => each.trim() === "*" || hostName(each.trim()) === undefined)
    ? undefined
    : "must be host names with commas between them, or *";
/** Takes IP addresses and ranges of them, with commas between them. */
export const addressRanges: Check = (text) =>
  text.split(",").every((each) => isRange(each.trim()))
    ? undefined
    : "must be IP addresses, or ranges such as 10.0.0.0/8, with commas between them";
/** Takes any text but the empty one. */
export const notEmpty: Check = (text) => (text === "" ? "must not be empty" : undefined);
/** Takes the name of an account. A name that begins with - would be an option of ssh. */
export const userName: Check = (text) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text) ? undefined : "must be the name of an account, such as git";
/** Takes any text. */
export const anyText: Check = () => undefined;
/** Takes digits only. `what` names the number in the sentence. */
export const digits =
  (what: string): Check =>
  (text) =>
    /^\d+$/.test(text) ? undefined : `must be ${what}`;
/** Takes digits that are not all zero. `what` names the number in the sentence. */
export const positive =
  (what: string): Check =>
  (text) =>
    /^0*[1-9]\d*$/.test(text) ? undefined : `must be ${what}`;
/** Takes a whole number in this range. `what` names the number in the sentence. */
export const within =
  (least: number, most: number, what: string): Check =>
  (text) =>
    /^\d+$/.test(text) && Number(text) >= least && Number(text) <= most
      ? undefined
      : `must be ${what} from ${least} to ${most}`;
/** Takes one of these words. */
export const oneOf =
  (...words: readonly string[]): Check =>
  (text) =>
    words.includes(text) ? undefined : `must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
/** Takes a URL of http or https. {repository}, {access} and {service} in it stand for parts of a request. */
export const httpUrl: Check = (text) => {
  const sample = text.replace(/\{(repository|access|service)\}/g, "x");
  const url = URL.canParse(sample) ? new URL(sample) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return "must be a URL that begins with http:// or https://";
  if (url.username !== "" || url.password !== "") return "must have no name and no password in it";
  return /[{}]/.test(sample) ? "may contain {repository}, {access} and {service}, and no other braces" : undefined;
};
/** Takes any text here: `completeDatabaseUrl` checks it. */
export const postgresUrl: Check = () => undefined;

/** Splits HOST:PORT into its parts. Removes the brackets around an IPv6 address. */
export function parseHostPort(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

function isRange(text: string): boolean {
  const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version > 0 && Number(bits ?? 0) <= (version === 4 ? 32 : 128);
}
