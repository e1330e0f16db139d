import type { Argv, Options } from "yargs";
import { type Arguments, COMMON_OPTIONS, flag, refuseUnknown } from "../words.js";

export const name = "setup";
export const command = "setup";
export const describe = "Build and install what an engine needs: setup tensorflow";

const OPTIONS = {
  gpu: flag("TensorFlow with CUDA, for NVIDIA GPUs (several GB)"),
  "dry-run": flag("print the steps and do nothing"),
  ...COMMON_OPTIONS,
} satisfies Record<string, Options>;

export const builder = (yargs: Argv): Argv =>
  yargs
    .usage(
      "$0 setup tensorflow [options]\n\nBuilds what the engine tensorflow needs to run natively: TensorFlow from pip, and the addon of @tensorflow/tfjs-node-gpu on it. All of it goes into one folder, MVNFIT_TENSORFLOW or else ~/.local/share/mvnfit/tensorflow. Steps that have been done are left out.",
    )
    .options(OPTIONS)
    .check(refuseUnknown(name, OPTIONS), false)
    .example("$0 setup tensorflow --dry-run", "what would be done")
    .example("$0 setup tensorflow", "on CPUs")
    .example("$0 setup tensorflow --gpu", "on NVIDIA GPUs");

export async function handler(words: Arguments): Promise<void> {
  const { readCall, runSetup } = await import("../setup/run.js");
  await runSetup(readCall(words));
}
