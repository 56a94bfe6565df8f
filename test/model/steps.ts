// Collects all steps that may happen next.
import { catchUpSteps } from "./catch-up.ts";
import { bumpSteps, waitingFor } from "./decide.ts";
import { abandonedSteps, deviceSteps, leaseSteps } from "./device.ts";
import { failOverSteps } from "./fail-over.ts";
import { mayTouchDisk } from "./finish.ts";
import { operatorSteps } from "./operator.ts";
import { pushSteps } from "./push.ts";
import { readSteps } from "./read.ts";
import type { Model, State } from "./state.ts";
import type { Step } from "./step.ts";

export function stepsFrom(model: Model, state: State): Step[] {
  const steps: Step[] = [];
  for (const message of state.messages) {
    steps.push(...bumpSteps(model, state, message));
    if (state.budget.net > 0) steps.push(lostBump(message));
  }
  steps.push(...abandonedSteps(state), ...leaseSteps(state), ...operatorSteps(model, state), ...failOverSteps(state));
  for (const [d, device] of state.devices.entries()) {
    for (const who of ["live", "zombie"] as const) {
      if (device[who] === null) continue;
      steps.push(...pushSteps(model, state, d, who));
      if (mayTouchDisk(model, who)) steps.push(...catchUpSteps(model, state, d, who));
    }
    steps.push(...readSteps(model, state, d), ...deviceSteps(model, state, d));
  }
  return steps;
}

/** Loses a bump: the backend dies before it commits, and its push gets no answer. */
function lostBump(message: State["messages"][number]): Step {
  const [w, fence] = message;
  return {
    kind: "fault",
    label: `the bump of w${w} with fence ${fence} is lost`,
    act: (next) => {
      next.budget.net -= 1;
      next.messages = next.messages.filter((each) => each !== message);
      for (const { live, zombie } of next.devices)
        for (const process of [live, zombie])
          if (process?.fence === fence && process.push?.write === w && process.push.phase === waitingFor(message))
            process.push.phase = "unknown";
    },
  };
}
