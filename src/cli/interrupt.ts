/** Why a call ended early: a signal from outside. */
export class Interrupted extends Error {
  override name = "Interrupted";
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals, exitCode: number) {
    super(`interrupted by ${signal}`);
    this.exitCode = exitCode;
  }
}

/** 128 + the signal's number, as shells count. */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** How long work that was told to stop may take over it before the process ends anyway. */
const PATIENCE_MS = 3000;

/**
 * A signal that aborts at the first Ctrl-C (SIGTERM, or SIGHUP of a terminal that is closed). A second one, or work that does not stop, ends the process at once; what
 * must not stay behind then is removed on exit (see io/write/whole.ts).
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [signal, exitCode] of Object.entries(EXIT_CODES) as [keyof typeof EXIT_CODES, number][]) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort(new Interrupted(signal, exitCode));
      setTimeout(() => process.exit(exitCode), PATIENCE_MS).unref();
    });
  }
  return controller.signal;
}
