import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Batch } from "../batch.js";
import { removeAtExit } from "../io/write/whole.js";
import type { Expected } from "./check.js";
import type { Contender } from "./contender.js";
import type { Task } from "./engine-contender.js";
import type { CheckedOptions } from "./options.js";
import { type Greeting, PeerError, PeerProcess } from "./peer.js";
import { PeerContender } from "./peer-contender.js";
import type { Entry, PeerName, PeerUsed } from "./result.js";
import { skippedEntry } from "./summarise.js";

interface Peer {
  readonly name: PeerName;
  readonly process: PeerProcess;
  readonly greeting: Greeting;
}

/** The peers of one run, and the folder through which rows go to them. */
export class Peers {
  readonly used: readonly PeerUsed[];
  readonly #peers: readonly Peer[];
  readonly #folder: string;
  readonly #signal: AbortSignal | undefined;

  private constructor(
    used: readonly PeerUsed[],
    peers: readonly Peer[],
    folder: string,
    signal: AbortSignal | undefined,
  ) {
    this.used = used;
    this.#peers = peers;
    this.#folder = folder;
    this.#signal = signal;
  }

  /** Starts those that are installed. What is not is told about and left out. */
  static async start({ against, python, threads, methods, control, onNote }: CheckedOptions): Promise<Peers> {
    const { signal } = control;
    const command = python ?? (process.platform === "win32" ? "python" : "python3");
    const folder = await mkdtemp(join(tmpdir(), "mvnfit-bench-"));
    removeAtExit(folder);
    const settings = { threads, iterates: methods.some((method) => method !== "closed-form") };
    const peers: Peer[] = [];
    const used: PeerUsed[] = [];
    try {
      for (const name of against) {
        try {
          const { peer, greeting } = await PeerProcess.start(name, command, settings, signal);
          peers.push({ name, process: peer, greeting });
          used.push({ name, installed: true, version: greeting.version, reason: null });
        } catch (error) {
          if (!(error instanceof PeerError)) throw error;
          used.push({ name, installed: false, version: null, reason: error.message });
          onNote(`${name}: not installed: ${error.message}`);
        }
      }
    } catch (error) {
      await new Peers(used, peers, folder, signal).close();
      throw error;
    }
    return new Peers(used, peers, folder, signal);
  }

  /** Hands the rows to every peer and gives those that take them, and entries for those that do not. */
  async contenders(
    { rows, method, precision }: Task,
    expected: () => Expected,
  ): Promise<{ contenders: Contender[]; skipped: Entry[] }> {
    const closed = method === "closed-form";
    const contenders: Contender[] = [];
    const skipped: Entry[] = [];
    if (this.#peers.length === 0) return { contenders, skipped };
    const load = await this.#loading(rows);
    for (const { name, process, greeting } of this.#peers) {
      const forms = greeting.forms.filter((form) => (form === "lbfgs") !== closed);
      const obstacle = obstacleOf(greeting, forms.length, rows, method);
      if (obstacle !== undefined) {
        skipped.push(skippedEntry("peer", name, closed ? "centred" : "lbfgs", obstacle));
        continue;
      }
      try {
        await process.ask({ op: "load", ...load, dtype: precision, dims: rows.dims }, this.#signal);
      } catch (error) {
        if (!(error instanceof PeerError)) throw error;
        skipped.push(
          ...forms.map((form) => skippedEntry("peer", name, form, (error as Error).message, "failed")),
        );
        continue;
      }
      for (const form of forms)
        contenders.push(new PeerContender(name, form, process, rows, expected, this.#folder, this.#signal));
    }
    await Promise.all(Object.values(load).map((file) => rm(file)));
    return { contenders, skipped };
  }

  async close(): Promise<void> {
    await Promise.all(this.#peers.map(({ process }) => process.close()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #loading({ x, offsets }: Batch): Promise<{ rows: string; offsets: string }> {
    const files = { rows: join(this.#folder, "rows.bin"), offsets: join(this.#folder, "offsets.bin") };
    await writeFile(files.rows, x);
    await writeFile(files.offsets, offsets);
    return files;
  }
}

function obstacleOf(
  { precisions, mostDims }: Greeting,
  forms: number,
  { dims, dtype }: Batch,
  method: string,
): string | undefined {
  if (forms === 0) return `has no ${method === "closed-form" ? "closed form" : "iterative method"}`;
  if (!precisions.includes(dtype)) return `does not compute in ${dtype}`;
  return dims > mostDims ? `takes at most ${mostDims} variables` : undefined;
}
