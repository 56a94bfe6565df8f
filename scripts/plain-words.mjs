// `node scripts/plain-words.mjs` looks at prose: comments, sentences that the program says, the documents, and the
// titles of tests. Three rules:
//   subject   No clause has "what …", "who …" or "whoever …" as its subject: its subject is a named thing. A question
//             may begin so, and so may the first sentence of a comment, which names a thing: "What a write needs."
//   length    A sentence has at most 25 words.
//   wrap      A line of prose has at most 120 characters.
// scripts/plain-words.json has the number of breaches that a file may have of each rule. With more breaches the check
// fails. After a rewrite, `node scripts/plain-words.mjs --lower` writes the lower numbers. A file that is not listed
// may have no breach. A file that was moved keeps its numbers.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const MOST_WORDS = 25;
const MOST_CHARACTERS = 120;
/**
 * Matches a clause whose subject is "what …", as far as these lists of verbs know. Some verbs are more often the first
 * verb, as in the label "what comes first", so they need two words before them.
 */
const STATEMENT = (() => {
  const word = "(?!(?:that|which|whether|while|when|where|how)\\b)[^ ,]+";
  const verbs = "is|was|are|were|can|does not|may (?:be|not|only|put)|needs?(?! to\\b| besides\\b)";
  const more =
    "gets?|goes|comes?|stays?|counts?|lands?|lies|stands?|reach(?:es)?|begins?|becomes?|(?:says|tells?) here";
  return new RegExp(
    `^(?:[Ww]ho|[Ww]hat|Whose|Whom)(?:(?: ${word})+? (?:${verbs})(?= \\S)|(?: ${word}){2,}? (?:${more})(?=[ _])|ever\\b)`,
  );
})();
/** Matches a sentence that begins so. After the first one of its paragraph it is a statement. */
const LATER = /^(?:Who|Whom|Whose|What)\b/;
const QUESTION = /\?["')\]]*$/;
/** Matches the marks of a comment at the begin and end of its lines. */
const DECORATION = /^\s*(?:\/\*\*?|\*\/|\*(?= |$)|\/\/+|--)\s?|\s*\*\/\s*$/g;

/** Returns the breaches in prose, each with its line, rule and words. `paragraphs` are lists of lines. */
export function breaches(paragraphs) {
  return paragraphs.flatMap((lines) => [
    ...lines
      .filter(({ raw }) => raw.length > MOST_CHARACTERS)
      .map(({ line, raw }) => ({ line, rule: "wrap", text: `${raw.length} characters` })),
    ...cut(lines, /[.!?]["')\]]*\s+|$/g)
      .map(({ line, text }) => ({
        line,
        text,
        words: text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length,
      }))
      .filter(({ words }) => words > MOST_WORDS)
      .map(({ line, text, words }) => ({ line, rule: "length", text: `${words} words: ${text}` })),
    ...cut(lines, /[.!?:;]["')\]]*\s+|$/g)
      .filter(({ text }, index) => !QUESTION.test(text) && (STATEMENT.test(text) || (index > 0 && LATER.test(text))))
      .map(({ line, text }) => ({ line, rule: "subject", text })),
  ]);
}

/** Cuts a paragraph after each match of `end`. Returns the parts with their first lines. A span of code is one word. */
function cut(lines, end) {
  const starts = [];
  let joined = "";
  for (const { line, text } of lines) {
    starts.push({ at: joined.length, line });
    joined += `${text.trim()} `;
  }
  const plain = joined.replace(/`[^`]*`/g, (code) => code.replace(/[^`]/g, "_"));
  const parts = [];
  let begin = 0;
  for (const match of plain.matchAll(end)) {
    const text = plain.slice(begin, match.index + match[0].length).trim();
    if (text !== "") parts.push({ line: starts.findLast(({ at }) => at <= begin).line, text });
    begin = match.index + match[0].length;
  }
  return parts;
}

/**
 * Returns the paragraphs of prose of a file: the text of a document, else the comments and the messages of a program.
 */
export function proseOf(path, text) {
  if (path.endsWith(".md")) return ofMarkdown(text);
  if (path.endsWith(".test.ts")) return ofTitles(text);
  return [...ofComments(path, text), ...(path.endsWith(".ts") ? ofMessages(text) : [])];
}

const LITERAL = /"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/;
/** Matches literals that are joined by "+". */
const JOINED = new RegExp(`(?:${LITERAL.source})(?: \\+ (?:${LITERAL.source}))*`, "g");
/** Matches the title of a test, also of one that `it.each` makes. */
const TITLE = new RegExp(
  `(?:\\b(?:it|test|describe)(?:\\.\\w+)*|^\\s*\\]?(?:\\)| as const\\)))\\(\\s*(${LITERAL.source})`,
  "gm",
);

/**
 * Returns the string literals of several words that end like a sentence, and the helps of settings. The formatter wraps
 * them, so `raw` is empty.
 */
function ofMessages(text) {
  const lines = text.split("\n");
  return lines.flatMap((raw, index) => {
    const goesOn = (line) => /["`] \+$/.test(line ?? "");
    if (/^\s*(\/\/|\/?\*)/.test(raw) || goesOn(lines[index - 1])) return [];
    let whole = raw;
    for (let next = index + 1; goesOn(lines[next - 1]) && next < lines.length; next += 1)
      whole += ` ${lines[next].trim()}`;
    return [...whole.matchAll(JOINED)]
      .filter(([said]) => isSentence(saidBy(said)) || /\bhelp: $/.test(whole.slice(0, whole.indexOf(said))))
      .map(([said]) => [{ line: index + 1, raw: "", text: saidBy(said) }]);
  });
}

function isSentence(said) {
  return /^\S+( \S+){3,}[.!?]$/.test(said);
}

/** Returns the text of joined literals. A value is one word. */
function saidBy(literals) {
  return literals
    .replace(/\$\{[^}]*\}/g, "VALUE")
    .replace(/(?<!\\)["`] \+ ["`]/g, "")
    .slice(1, -1)
    .replaceAll("\\`", "`");
}

/** Returns the titles of tests. The formatter wraps them too. */
function ofTitles(text) {
  return [...text.matchAll(TITLE)].map(({ 1: title, index }) => [
    { line: text.slice(0, index).split("\n").length, raw: "", text: saidBy(title) },
  ]);
}

function ofMarkdown(text) {
  const paragraphs = [[]];
  let fenced = false;
  for (const [index, raw] of text.split("\n").entries()) {
    if (/^\s*(```|~~~)/.test(raw)) fenced = !fenced;
    // Tables, headings, code, link definitions and generated lines are no prose.
    if (fenced || /^\s*(```|~~~|\||#|<|\[[^\]]+\]:|$)/.test(raw) || /^ {4}/.test(raw)) {
      paragraphs.push([]);
      continue;
    }
    if (/^\s*([-*]|\d+\.) /.test(raw)) paragraphs.push([]);
    paragraphs
      .at(-1)
      .push({ line: index + 1, raw, text: raw.replace(/^\s*([-*]|\d+\.) /, "").replace(/\]\([^)]*\)/g, "]") });
  }
  return paragraphs.filter((lines) => lines.length > 0);
}

function ofComments(path, text) {
  const isComment = path.endsWith(".sql") ? /^\s*--/ : /^\s*(\/\/|\/\*|\*(?: |\/|$))/;
  const paragraphs = [[]];
  for (const [index, raw] of text.split("\n").entries()) {
    const words = raw.replace(DECORATION, "").replace(DECORATION, "");
    const skipped = !isComment.test(raw) || words.trim() === "" || /^(biome-ignore|@ts-|#!)/.test(words.trim());
    if (skipped) paragraphs.push([]);
    else paragraphs.at(-1).push({ line: index + 1, raw, text: words });
    if (/\*\/\s*$/.test(raw)) paragraphs.push([]);
  }
  return paragraphs.filter((lines) => lines.length > 0);
}

/** Counts the breaches of each rule: `{ wrap: 2, length: 1 }`. */
export function count(found) {
  const counts = {};
  for (const { rule } of found) counts[rule] = (counts[rule] ?? 0) + 1;
  return counts;
}

/** Returns the breaches of those rules that a file breaks more often than `allowed`. */
export function tooMany(found, allowed = {}) {
  const counts = count(found);
  return found.filter(({ rule }) => counts[rule] > (allowed[rule] ?? 0));
}

/**
 * Returns the entry of a file in the list. If it has none, returns the entry of the only removed file with its name.
 */
export function allowance(list, paths, path) {
  if (list[path] !== undefined) return list[path];
  const moved = Object.keys(list).filter((each) => basename(each) === basename(path) && !paths.includes(each));
  return moved.length === 1 ? list[moved[0]] : {};
}

const PLACES = ["src", "native", "migrations", "proto/lockstep", "docs", "test"];
const PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
const SKIPPED = /^(src\/generated\/|docs\/configuration\.md$|docs\/schema\.txt$)/;

function filesOf(root) {
  return PLACES.flatMap((place) => readdirSync(join(root, place), { recursive: true }).map((name) => join(place, name)))
    .concat(PAGES)
    .filter((path) => (path.startsWith("test/") ? /\.test\.ts$/ : /\.(ts|c|h|sql|proto|md)$/).test(path))
    .filter((path) => !SKIPPED.test(path));
}

function main(root, lower) {
  const listed = join(root, "scripts", "plain-words.json");
  const list = JSON.parse(readFileSync(listed, "utf8"));
  const paths = filesOf(root);
  const next = {};
  let worse = 0;
  for (const path of paths.sort()) {
    const found = breaches(proseOf(path, readFileSync(join(root, path), "utf8")));
    const allowed = allowance(list, paths, path);
    const places = tooMany(found, allowed);
    worse += places.length;
    for (const { line, rule, text } of places)
      process.stderr.write(
        `${path}:${line}: ${rule}, of which ${allowed[rule] ?? 0} may be here: ${text.slice(0, 160)}\n`,
      );
    const left = Object.entries(count(found)).map(([rule, number]) => [rule, Math.min(number, allowed[rule] ?? 0)]);
    const kept = left.filter(([, number]) => number > 0).sort();
    if (kept.length > 0) next[path] = Object.fromEntries(kept);
  }
  if (worse > 0)
    process.stderr.write("These sentences or lines are hard to read; scripts/plain-words.mjs begins with the rules.\n");
  if (lower) writeFileSync(listed, written(next));
  return worse > 0 ? 1 : 0;
}

/** Returns the list as JSON with one line a file, so that two rewrites do not conflict. */
function written(list) {
  const entry = (allowed) => Object.entries(allowed).map(([rule, number]) => `"${rule}": ${number}`);
  const lines = Object.entries(list).map(([path, allowed]) => `  "${path}": { ${entry(allowed).join(", ")} }`);
  return lines.length === 0 ? "{}\n" : `{\n${lines.join(",\n")}\n}\n`;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = main(dirname(dirname(fileURLToPath(import.meta.url))), process.argv.includes("--lower"));
