import { type ChildProcessByStdio, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Precision } from "../methods.js";
import type { PeerName } from "./result.js";

/** What a peer says of itself first. */
export interface Greeting {
  readonly version: string;
  /** Its ways of the closed form, and of iterating */
  readonly forms: readonly ("centred" | "uncentred" | "lbfgs")[];
  readonly precisions: readonly Precision[];
  /** The largest d that it takes */
  readonly mostDims: number;
}

/** A request of the protocol in bench/peers/peer.py. */
export type Request =
  | {
      readonly op: "load";
      /** Raw numbers, [N, d], in the machine's byte order */
      readonly rows: string;
      readonly dtype: Precision;
      /** Raw float64, [B+1] */
      readonly offsets: string;
      readonly dims: number;
    }
  | { readonly op: "prepare"; readonly form: string; readonly tolerance: number }
  /** Writes mean [B, d], covariance [B, d, d] and, where it has it, the log-likelihood [B] as raw float64. */
  | { readonly op: "check"; readonly out: string }
  | { readonly op: "run" };

/** What a peer must know before it loads its library. */
export interface PeerSettings {
  readonly threads: number;
  /** Whether some case asks for an iterative method */
  readonly iterates: boolean;
}

/** The peer's process ended, or answered a request with an error. */
export class PeerError extends Error {
  override name = "PeerError";
}

/** A request that is not answered within this time is given up, and the peer with it. */
const DEADLINE_MS = 600_000;

/** Where the package keeps them. */
const FOLDER = new URL("../../bench/peers/", import.meta.url);

/** Settings of a machine that would hold OpenBLAS below what it can do. */
const HINDRANCES = ["OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"];

/** Every way there is to tell a library its number of threads. */
const THREAD_VARIABLES = [
  "OMP_NUM_THREADS",
  "OPENBLAS_NUM_THREADS",
  "MKL_NUM_THREADS",
  "NUMBA_NUM_THREADS",
  "POLARS_MAX_THREADS",
];

const running = new Set<ChildProcessByStdio<Writable, Readable, Readable>>();
let watching = false;

/** Kills what is left of them however this process ends. A peer also ends by itself once its standard input does. */
function killAtExit(): void {
  if (watching) return;
  watching = true;
  process.on("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
}

/** A peer's process: one JSON request a line to it, one JSON answer a line from it. */
export class PeerProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #answers: AsyncIterator<string>;
  readonly #ended: Promise<string>;
  #complaints = "";

  private constructor(python: string, script: string, { threads, iterates }: PeerSettings) {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      PEER_THREADS: String(threads),
      PEER_ITERATES: iterates ? "1" : "",
    };
    for (const name of HINDRANCES) delete env[name];
    for (const name of THREAD_VARIABLES) env[name] = String(threads);
    killAtExit();
    this.#child = spawn(python, [script], { env, stdio: ["pipe", "pipe", "pipe"] });
    running.add(this.#child);
    this.#child.stdin.on("error", () => {}); // told by how it ends
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-2000);
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        running.delete(this.#child);
        resolve(how);
      };
      this.#child.on("error", (error) => end(error.message));
      this.#child.on("close", (code, signal) => end(signal ? `ended by ${signal}` : `ended with ${code}`));
    });
  }

  /**
   * Starts a peer and hears what it says of itself.
   *
   * @throws PeerError where the interpreter or the library is not there
   */
  static async start(
    name: PeerName,
    python: string,
    settings: PeerSettings,
    signal?: AbortSignal,
  ): Promise<{ peer: PeerProcess; greeting: Greeting }> {
    const script = scriptOf(name);
    if (!existsSync(script)) throw new PeerError(`its file ${script} is not there`);
    const peer = new PeerProcess(python, script, settings);
    try {
      const greeting = await peer.#answer(signal);
      return { peer, greeting: greeting as unknown as Greeting };
    } catch (error) {
      await peer.close();
      throw error;
    }
  }

  /** @throws PeerError where it answers with an error, or does not answer */
  async ask(request: Request, signal?: AbortSignal): Promise<Record<string, unknown>> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.#answer(signal);
  }

  /** Ends the process, whatever it is at, and waits until it has ended. */
  async close(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  async #answer(signal: AbortSignal | undefined): Promise<Record<string, unknown>> {
    signal?.throwIfAborted();
    const giveUp = () => this.#child.kill("SIGKILL");
    const timer = setTimeout(giveUp, DEADLINE_MS);
    signal?.addEventListener("abort", giveUp, { once: true });
    try {
      const line = await this.#answers.next();
      signal?.throwIfAborted();
      if (line.done) throw new PeerError(`${await this.#ended}${lastLine(this.#complaints)}`);
      return parsed(line.value);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
    }
  }
}

function parsed(line: string): Record<string, unknown> {
  let answer: Record<string, unknown>;
  try {
    answer = JSON.parse(line);
  } catch {
    throw new PeerError(`answered with what is not JSON: ${line.slice(0, 200)}`);
  }
  if (typeof answer?.error === "string") throw new PeerError(answer.error);
  return answer;
}

const lastLine = (text: string): string => {
  const line = text.trim().split("\n").at(-1);
  return line ? `: ${line}` : "";
};

const scriptOf = (name: PeerName): string => fileURLToPath(new URL(`${name}_peer.py`, FOLDER));
