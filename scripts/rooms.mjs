// Checks the imports of src/, types included. docs/architecture.md lists the rooms (the directories of src/) from top
// to bottom, each with the rooms that it may import. The script refuses an import that the list lacks, a room that
// imports one above it, an entry that no import needs, a room with too many files, and a circle of files.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const IMPORT = /(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/g;

/** A room has at most so many files: more are hard to keep in mind. */
const MOST_FILES = 12;
/** These rooms may have more: the name of each file follows from an RPC, a command or a file of native/. */
const LISTS = new Set(["cli/commands", "rpc/handlers", "shim"]);
/** The directory of the files at the top of src/. */
const TOP = ".";

/** Reads the block ```rooms of a page. Each line is `room: room, room`; `room/*` means the room and those inside it. */
export function readRooms(page) {
  const block = /```rooms\n([\s\S]*?)```/.exec(page)?.[1];
  if (block === undefined) throw new Error("docs/architecture.md has no block ```rooms.");
  const lines = block.split("\n").filter((line) => line.trim() !== "");
  return new Map(
    lines.map((line) => {
      const [room, allowed = ""] = line.split(":").map((part) => part.trim());
      return [room, allowed.split(",").flatMap((name) => name.trim() || [])];
    }),
  );
}

/** Returns the files of a directory, each with the files that it imports. Paths are relative to the directory. */
export function readImports(directory) {
  const files = readdirSync(directory, { recursive: true }).filter(
    (file) => file.endsWith(".ts") && !file.startsWith("generated"),
  );
  return new Map(
    files.map((file) => {
      const text = readFileSync(join(directory, file), "utf8");
      const imported = [...text.matchAll(IMPORT)].map(([, path]) =>
        relative(directory, resolve(directory, dirname(file), path)),
      );
      return [file, imported];
    }),
  );
}

/** Returns a sentence for each fault. */
export function findFaults(rooms, imports) {
  return [...wrongLists(rooms), ...wrongImports(rooms, imports), ...fullRooms(rooms, imports), ...circles(imports)];
}

function* wrongLists(rooms) {
  const order = [...rooms.keys()];
  for (const [room, allowed] of rooms)
    for (const name of allowed.flatMap((pattern) => meantBy(pattern, order)))
      if (name !== room && order.indexOf(name) < order.indexOf(room))
        yield `The list of rooms lets ${room} import ${name}, which is not below it.`;
}

function* wrongImports(rooms, imports) {
  const order = [...rooms.keys()];
  for (const [file, imported] of imports) {
    const room = roomOf(file, rooms);
    if (room === undefined) {
      yield `${file} lies in no room of the list.`;
      continue;
    }
    const allowed = new Set([room, ...rooms.get(room).flatMap((pattern) => meantBy(pattern, order))]);
    for (const target of imported) {
      const other = roomOf(target, rooms);
      if (other !== undefined && !allowed.has(other))
        yield `${file} imports ${target}, but ${room} may not import ${other}.`;
    }
  }
}

/** Returns a sentence for each entry of the list that no import needs. */
export function* findUnused(rooms, imports) {
  const order = [...rooms.keys()];
  const used = new Set();
  for (const [file, imported] of imports)
    for (const target of imported) used.add(`${roomOf(file, rooms)} ${roomOf(target, rooms)}`);
  for (const [room, allowed] of rooms)
    for (const pattern of allowed)
      if (!meantBy(pattern, order).some((name) => used.has(`${room} ${name}`)))
        yield `The list of rooms lets ${room} import ${pattern}, and no file does. Take it off the list.`;
}

function* fullRooms(rooms, imports) {
  for (const room of [...rooms.keys(), TOP]) {
    const files = [...imports.keys()].filter((file) => dirname(file) === room).length;
    if (!LISTS.has(room) && files > MOST_FILES)
      yield `${room === TOP ? "The top of src/" : room} has ${files} files; a room has at most ${MOST_FILES}. Divide it by subject.`;
  }
}

/** Returns the room of a file. A file at the top of src/ may be a room of its own; else it belongs to "ground". */
function roomOf(file, rooms) {
  return [file, dirname(file)].find((room) => rooms.has(room)) ?? (dirname(file) === "." ? "ground" : undefined);
}

function meantBy(pattern, order) {
  if (!pattern.endsWith("/*")) return [pattern];
  const parent = pattern.slice(0, -2);
  return order.filter((room) => room === parent || room.startsWith(`${parent}/`));
}

function* circles(imports) {
  const done = new Set();
  for (const start of imports.keys()) {
    const path = [];
    const visit = (file) => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
      if (done.has(file)) return undefined;
      path.push(file);
      for (const next of imports.get(file) ?? []) {
        const circle = visit(next);
        if (circle) return circle;
      }
      path.pop();
      done.add(file);
      return undefined;
    };
    const circle = visit(start);
    if (circle) {
      yield `These files import each other in a circle: ${circle.join(" → ")}.`;
      return;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const project = dirname(dirname(fileURLToPath(import.meta.url)));
  const rooms = readRooms(readFileSync(join(project, "docs", "architecture.md"), "utf8"));
  const imports = readImports(join(project, "src"));
  const faults = [...findFaults(rooms, imports), ...findUnused(rooms, imports)];
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  if (faults.length > 0) process.exit(1);
}
