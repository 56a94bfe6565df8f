// `lockstep completion`: a script with which the user's shell completes the commands and flags of this version.
import { Argument, Command } from "commander";
import type { Host } from "../../host.ts";
import { type Node, SHELLS } from "../terminal/completion-scripts.ts";

/** Makes the command. `program`: returns the program with all subcommands. */
export function completionCommand(host: Host, program: () => Promise<Command>): Command {
  return new Command("completion")
    .description("print a script with which bash, zsh or fish completes commands and flags")
    .addArgument(new Argument("<shell>").choices(Object.keys(SHELLS)))
    .addHelpText("after", "\nExample:\n  source <(lockstep completion bash)\n")
    .action(async (shell: keyof typeof SHELLS) => {
      host.stdout.write(`${SHELLS[shell](nodeOf(await program()))}\n`);
    });
}

function nodeOf(command: Command): Node {
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ short, long, description, required, optional }) => ({
      flags: [long, short].filter((flag) => flag !== undefined && flag !== null),
      help: description,
      takesValue: required || optional,
    }));
  return {
    name: command.name(),
    summary: command.description(),
    options: [...options, { flags: ["--help", "-h"], help: "display help for command", takesValue: false }],
    commands: command.commands.map((each) => nodeOf(each as Command)),
  };
}
