// What ssh says when it fails, as sentences about devices.

const HOST_KEY = /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No \w+ host key is known/;

/** Returns the sentence for a host key that is not the one of the registry. undefined: ssh did not say that. */
export function wrongHostKey(said: string, device: string): string | undefined {
  if (!HOST_KEY.test(said)) return undefined;
  return `the sshd there has not shown a host key that the registry has for device ${device}; if its key is new, \`lockstep device trust ${device} --ssh-host-key FILE\` pins it`;
}

/** Returns why ssh failed, without an end. undefined: it ended well. */
export function whyItFailed(said: string, device: string, code: number | null): string | undefined {
  if (code === 0) return undefined;
  const wrong = wrongHostKey(said, device);
  if (wrong !== undefined) return wrong;
  if (/Permission denied/.test(said))
    return `the sshd of device ${device} refuses the ssh key of this device; \`lockstep device authorized-keys\` there prints the lines that it needs`;
  const [last] = said.trim().split("\n").slice(-1);
  return `ssh to device ${device} ended (${last?.trim() || `exit ${code ?? "by a signal"}`})`;
}
