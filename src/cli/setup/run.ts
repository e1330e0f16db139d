import { tensorflowHome } from "../../engines/tensorflow/home.js";
import { InputError } from "../../errors.js";
import { type TensorflowSetup, tensorflowSteps } from "../../setup/tensorflow.js";
import { interruptSignal } from "../interrupt.js";
import { Terminal } from "../terminal.js";
import { type Arguments, Words } from "../words.js";

export interface SetupCall extends TensorflowSetup {
  readonly dryRun: boolean;
  readonly quiet: boolean;
}

/** @throws InputError for anything but tensorflow */
export function readCall(given: Arguments): SetupCall {
  const words = new Words("setup", given);
  const [what, ...more] = words.files();
  if (what === undefined) throw new InputError("setup: name what to set up: tensorflow");
  if (what !== "tensorflow") throw new InputError(`setup: knows tensorflow only, got "${what}"`);
  if (more.length > 0) throw new InputError(`setup: takes one name, got "${more[0]}" as well`);
  return {
    home: tensorflowHome(),
    gpu: words.flag("gpu"),
    dryRun: words.flag("dry-run"),
    quiet: words.flag("quiet"),
  };
}

/** Runs `mvnfit setup tensorflow`: step by step, or says what the steps are. */
export async function runSetup(call: SetupCall): Promise<void> {
  const steps = tensorflowSteps(call);
  if (call.dryRun) {
    for (const [i, { what, commands, done }] of steps.entries()) {
      process.stdout.write(`# ${i + 1}/${steps.length} ${what}${done() ? " (is done)" : ""}\n`);
      for (const command of commands) process.stdout.write(`${command}\n`);
    }
    return;
  }
  const terminal = new Terminal(call.quiet);
  const signal = interruptSignal();
  for (const [i, step] of steps.entries()) {
    const done = step.done();
    terminal.note(`${i + 1}/${steps.length} ${step.what}${done ? " (is done)" : ""}`);
    if (!done) await step.run(signal);
  }
  process.stdout.write(`The engine tensorflow is built in ${call.home}; mvnfit engines shows it.\n`);
}
