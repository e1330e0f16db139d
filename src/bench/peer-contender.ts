import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Batch } from "../batch.js";
import { DEFAULT_TOLERANCE, type Precision } from "../methods.js";
import { compare, type Expected, toleranceFor } from "./check.js";
import type { Contender, Times, Verdict } from "./contender.js";
import type { PeerProcess } from "./peer.js";
import { PeerError } from "./peer.js";
import type { PeerName } from "./result.js";

/**
 * What a peer's own iteration may leave of the residual: it stops at the same r ≤ 1e-8, but not each of its line searches gets the last
 * ill-conditioned groups there. 1e-6 is far from any wrong optimum.
 */
const PEER_RESIDUAL: Readonly<Record<Precision, number>> = { float64: 1e-6, float32: 1e-3 };

/** One form of one peer, in its process. */
export class PeerContender implements Contender {
  readonly kind = "peer";
  readonly name: PeerName;
  readonly form: string;
  readonly from: "rows" | "statistics";
  readonly #peer: PeerProcess;
  readonly #rows: Batch;
  readonly #expected: () => Expected;
  readonly #folder: string;
  readonly #signal: AbortSignal | undefined;

  /** The peer has loaded the rows. Results are compared with `expected`, once the engines have run. */
  constructor(
    name: PeerName,
    form: string,
    peer: PeerProcess,
    rows: Batch,
    expected: () => Expected,
    folder: string,
    signal: AbortSignal | undefined,
  ) {
    this.name = name;
    this.form = form;
    this.from = form === "lbfgs" ? "statistics" : "rows";
    this.#peer = peer;
    this.#rows = rows;
    this.#expected = expected;
    this.#folder = folder;
    this.#signal = signal;
  }

  async check(): Promise<Verdict> {
    const { dtype, groups } = this.#rows;
    const out = join(this.#folder, `${this.name}.out`);
    await this.#prepare();
    const ms = timeIn(await this.#peer.ask({ op: "check", out }, this.#signal));
    const outcome = this.#outcome(await readFile(out));
    await rm(out);
    const tolerance = toleranceFor(dtype, {
      uncentred: this.form === "uncentred",
      residual: this.form === "lbfgs" ? PEER_RESIDUAL[dtype] : 0,
    });
    return { checked: compare(outcome, this.#expected(), tolerance, groups), counts: null, ms };
  }

  async time(): Promise<Times> {
    await this.#prepare();
    return { total: timeIn(await this.#peer.ask({ op: "run" }, this.#signal)) };
  }

  async close(): Promise<void> {}

  /** One process plays all of a peer's forms: the one that is to run is told before the clock starts. */
  async #prepare(): Promise<void> {
    const tolerance = DEFAULT_TOLERANCE[this.#rows.dtype];
    await this.#peer.ask({ op: "prepare", form: this.form, tolerance }, this.#signal);
  }

  #outcome(bytes: Buffer) {
    const { groups, dims } = this.#rows;
    const [mean, covariance] = [groups * dims, groups * dims * dims];
    const numbers = new Float64Array(Uint8Array.from(bytes).buffer, 0, bytes.byteLength >> 3); // a Buffer may begin anywhere
    const whole = mean + covariance + groups;
    if (numbers.length !== mean + covariance && numbers.length !== whole)
      throw new PeerError(`gave ${numbers.length} numbers, not ${whole}`);
    return {
      mean: numbers.subarray(0, mean),
      covariance: numbers.subarray(mean, mean + covariance),
      logLikelihood: numbers.length === whole ? numbers.subarray(mean + covariance) : undefined,
    };
  }
}

function timeIn({ ms }: Record<string, unknown>): number {
  if (typeof ms === "number" && ms >= 0) return ms;
  throw new PeerError(`gave no time, but ${JSON.stringify(ms)}`);
}
