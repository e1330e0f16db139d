/*
 * TensorFlow and TensorFlow.js speak on stderr of what they find and what else one might install, and copies of tfjs of each other. None of
 * it is of use to who runs a fit.
 */

/**
 * What TensorFlow reads of the environment when it loads: to say nothing of what it finds, and to take the same code for float32 as for
 * float64, whose bits do not depend on how many groups go together. What a user has set stays.
 */
const SETTINGS = { TF_CPP_MIN_LOG_LEVEL: "2", TF_ENABLE_ONEDNN_OPTS: "0" };

/** Where tfjs keeps its engine: one a process, whatever the number of its copies. */
interface Shared {
  readonly _tfengine?: {
    readonly backendName?: string;
    readonly ENV: { getBool(flag: string): boolean; set(flag: string, value: boolean): void };
  };
}

const engine = () => (globalThis as Shared)._tfengine;

/** The backend that is active, if tfjs has been loaded by anyone. */
export const activeBackend = (): string | undefined => engine()?.backendName;

/** Loads TensorFlow or a copy of tfjs, or has it start, without a word. */
export async function quietly<Result>(work: () => Promise<Result>): Promise<Result> {
  const made = Object.entries(SETTINGS).filter(([name]) => process.env[name] === undefined);
  for (const [name, value] of made) process.env[name] = value;
  const flags = engine()?.ENV;
  const before = flags?.getBool("PROD") ?? false;
  flags?.set("PROD", true); // production mode: no warnings
  try {
    return await work();
  } finally {
    flags?.set("PROD", before);
    for (const [name] of made) delete process.env[name];
  }
}
