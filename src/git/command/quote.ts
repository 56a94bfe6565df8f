/** Quotes the arguments of a command for a shell, which git starts for GIT_SSH_COMMAND. */
export function shellQuoted(args: readonly string[]): string {
  return args.map((each) => (/^[\w@%+=:,./-]+$/.test(each) ? each : `'${each.replaceAll("'", "'\\''")}'`)).join(" ");
}
