import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Steps of a running call, drawn as a bar on a terminal and not at all elsewhere. */
export interface Progress {
  (done: number, total: number): void;
  stop(): void;
}

/** Where a command speaks to a person: everything but results, on stderr. `quiet` leaves errors only. */
export class Terminal {
  readonly quiet: boolean;

  constructor(quiet: boolean) {
    this.quiet = quiet;
  }

  note(text: string): void {
    if (!this.quiet) process.stderr.write(`${styled(process.stderr, "dim", text)}\n`);
  }

  warn(text: string): void {
    if (!this.quiet) process.stderr.write(`${styled(process.stderr, "yellow", "warning:")} ${text}\n`);
  }

  error(text: string): void {
    process.stderr.write(`${styled(process.stderr, "red", "error:")} ${text}\n`);
  }

  /** A bar for work that takes long enough to be asked about. */
  async progress(label: string): Promise<Progress> {
    if (this.quiet || !process.stderr.isTTY) return Object.assign(() => {}, { stop: () => {} });
    const { SingleBar } = (await import("cli-progress")).default;
    const bar = new SingleBar({
      format: `${label} {bar} {percentage}%  {eta_formatted} left`,
      stream: process.stderr,
      barsize: 30,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      hideCursor: true,
      clearOnComplete: true,
      gracefulExit: false,
    });
    let started = 0;
    const draw = (done: number, total: number): void => {
      if (started !== total) {
        bar.start(total, done);
        started = total;
      } else {
        bar.update(done);
      }
    };
    return Object.assign(draw, { stop: () => started > 0 && bar.stop() });
  }
}

/** Colour only where a person sees it: on a terminal, and not where NO_COLOR is set. */
const hasColour = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";

export const styled = (stream: NodeJS.WriteStream, style: Style, text: string): string =>
  hasColour(stream) ? styleText(style, text, { validateStream: false }) : text;
