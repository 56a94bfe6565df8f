// Reads the text of a database URL, of either form, into its words.

/** The parts of a database URL by the name of their parameter in libpq. */
export type Words = Map<string, string>;

/** Refuses the text. `why` ends the sentence that says so. */
export type Wrong = (why: string) => never;

/** Reads either form: `postgres://…`, or `key=value` words. */
export function readAny(text: string, wrong: Wrong): Words {
  return /^postgres(ql)?:\/\//.test(text) ? readUri(text, wrong) : readWords(text, wrong);
}

function readUri(text: string, wrong: Wrong): Words {
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return wrong("has a `%` that is not followed by two hexadecimal digits of UTF-8; write `%` itself as %25");
    }
  };
  const rest = text.replace(/^postgres(ql)?:\/\//, "");
  // Only these characters end the host names. `#` is an ordinary character, and so is `?` before the last `@`.
  const [, authority = "", path = "", query = ""] = /^((?:[^/]*@)?[^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  const at = authority.lastIndexOf("@");
  const words: Words = new Map();
  if (at >= 0) {
    const [, user = "", password] = /^([^:]*)(?::(.*))?$/s.exec(authority.slice(0, at)) ?? [];
    words.set("user", decode(user));
    if (password !== undefined) words.set("password", decode(password));
  }
  const places = authority
    .slice(at + 1)
    .split(",")
    .map((place) => {
      const [, host = "", port = ""] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(place) ?? [];
      return { host: decode(host.replace(/^\[(.*)\]$/, "$1")), port: decode(port) };
    });
  words.set("host", places.map(({ host }) => host).join(","));
  if (places.some(({ port }) => port !== "")) words.set("port", places.map(({ port }) => port).join(","));
  if (path !== "") words.set("dbname", decode(path));
  for (const pair of query.split("&").filter(Boolean)) {
    const equals = pair.indexOf("=");
    if (equals < 0) wrong("has a parameter without `=`; in a password write `?` as %3F and `&` as %26");
    words.set(decode(pair.slice(0, equals)), decode(pair.slice(equals + 1)));
  }
  return words;
}

function readWords(text: string, wrong: Wrong): Words {
  const words: Words = new Map();
  const word = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*)?)(?=\s|$)/sy;
  while (text.slice(word.lastIndex).trim() !== "") {
    const found = word.exec(text);
    if (found === null) return wrong("must begin with postgres://, or be words like host=db dbname=lockstep");
    words.set(found[1] as string, (found[2] ?? found[3] ?? "").replace(/\\(.)/gs, "$1"));
  }
  if (words.size === 0) wrong("must begin with postgres://, or be words like host=db dbname=lockstep");
  return words;
}
