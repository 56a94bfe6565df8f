// Writes the scripts with which bash, zsh and fish complete command lines, from the tree of commands. A script has all
// words in it: to start Node for each press of a key would take a third of a second.

/** A command with its options and its subcommands. */
export interface Node {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly Option[];
  readonly commands: readonly Node[];
}

export interface Option {
  /** Such as --json and -V. */
  readonly flags: readonly string[];
  readonly help: string;
  readonly takesValue: boolean;
}

export const SHELLS = { bash, zsh, fish } as const;

/** A command with the words that lead to it, such as `/repo/create`. */
interface Place extends Node {
  readonly at: string;
}

function placesOf(node: Node, at = ""): Place[] {
  return [{ ...node, at }, ...node.commands.flatMap((each) => placesOf(each, `${at}/${each.name}`))];
}

/** Returns the patterns of a `case` that match the words of all commands below the program. */
function steps(places: readonly Place[]): string {
  return places
    .filter(({ at }) => at !== "")
    .map(({ at }) => at)
    .join("|");
}

function flagsOf(options: readonly Option[]): string[] {
  return options.flatMap(({ flags }) => flags);
}

function bash(program: Node): string {
  const places = placesOf(program);
  const valued = [...new Set(places.flatMap(({ options }) => flagsOf(options.filter((each) => each.takesValue))))];
  const cases = places.map(
    ({ at, options, commands }) =>
      `    '${at}') words='${[...commands.map(({ name }) => name), ...flagsOf(options)].join(" ")}' ;;`,
  );
  return [
    "# bash completes lockstep with this: source <(lockstep completion bash)",
    "_lockstep() {",
    `  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD - 1]}" at= words= i`,
    "  COMPREPLY=()",
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    `    case "$at/\${COMP_WORDS[i]}" in`,
    `      ${steps(places)}) at="$at/\${COMP_WORDS[i]}" ;;`,
    "    esac",
    "  done",
    "  # The value of a flag is often a file.",
    '  case "$before" in',
    `    ${valued.join("|")}) return ;;`,
    "  esac",
    '  case "$at" in',
    ...cases,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    "complete -o default -F _lockstep lockstep",
  ].join("\n");
}

/** Quotes a text for sh, zsh and fish, in one line. */
function quoted(text: string): string {
  return `'${text.replaceAll("\n", " ").replaceAll("\\", "\\\\").replaceAll("'", "’")}'`;
}

function zsh(program: Node): string {
  const places = placesOf(program);
  const entry = (name: string, help: string) => quoted(`${name}:${help}`);
  const cases = places.flatMap(({ at, options, commands }) => [
    `    '${at}')`,
    `      commands=(${commands.map(({ name, summary }) => entry(name, summary)).join(" ")})`,
    `      flags=(${options.flatMap(({ flags, help }) => flags.map((flag) => entry(flag, help))).join(" ")}) ;;`,
  ]);
  return [
    "#compdef lockstep",
    "# zsh completes lockstep with this: source <(lockstep completion zsh), after compinit",
    "_lockstep() {",
    "  local at= word",
    "  local -a commands flags",
    "  integer i",
    "  for ((i = 2; i < CURRENT; i++)); do",
    "    word=$words[i]",
    '    case "$at/$word" in',
    `      (${steps(places)}) at="$at/$word" ;;`,
    "    esac",
    "  done",
    '  case "$at" in',
    ...cases,
    "  esac",
    "  if [[ $PREFIX == -* ]]; then",
    "    _describe -o 'option' flags",
    "  else",
    "    _describe 'command' commands || _files",
    "  fi",
    "}",
    'if [[ "$funcstack[1]" == _lockstep ]]; then _lockstep "$@"; else compdef _lockstep lockstep; fi',
  ].join("\n");
}

function fish(program: Node): string {
  const places = placesOf(program);
  const lines = places.flatMap(({ at, options, commands }) => {
    const here = `complete -c lockstep -n '__lockstep_at "${at}"'`;
    return [
      ...commands.map(({ name, summary }) => `${here} -f -a ${name} -d ${quoted(summary)}`),
      ...options.map(({ flags, help, takesValue }) => {
        const named = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
        return `${here} ${named.join(" ")}${takesValue ? " -r" : ""} -d ${quoted(help)}`;
      }),
    ];
  });
  return [
    "# fish completes lockstep with this: lockstep completion fish > ~/.config/fish/completions/lockstep.fish",
    "function __lockstep_at",
    "  set -l at ''",
    "  set -l words (commandline -opc)",
    "  for word in $words[2..-1]",
    '    switch "$at/$word"',
    `      case ${steps(places).replaceAll("|", " ")}`,
    '        set at "$at/$word"',
    "    end",
    "  end",
    '  test "$at" = "$argv[1]"',
    "end",
    ...lines,
  ].join("\n");
}
