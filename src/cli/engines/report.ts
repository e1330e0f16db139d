import { PROVIDERS } from "../../engines.js";
import type { Precision } from "../../methods.js";
import { styled } from "../terminal.js";

/** What there is to know of an engine without opening it; null where it does not apply. */
export interface EngineReport {
  readonly name: string;
  readonly available: boolean;
  readonly device: string | null;
  readonly version: string | null;
  readonly precisions: readonly Precision[];
  readonly reason: string | null;
  readonly remedy: string | null;
}

export async function engineReport(): Promise<EngineReport[]> {
  return Promise.all(
    PROVIDERS.map(async (provider) => {
      const probe = await provider.probe();
      const { name, precisions } = provider;
      const found = probe.available
        ? { device: probe.device, version: probe.version, reason: null, remedy: null }
        : { device: null, version: null, reason: probe.reason, remedy: probe.remedy };
      const { device, version, reason, remedy } = found;
      return { name, available: probe.available, device, version, precisions, reason, remedy };
    }),
  );
}

/** Two lines an engine: the device and what it runs; or why it cannot be had and what to do. */
export function enginesTable(report: readonly EngineReport[], stream: NodeJS.WriteStream): string {
  const width = Math.max(...report.map(({ name }) => name.length));
  const lines = report.flatMap((engine) => {
    const state = engine.available
      ? styled(stream, "green", "available")
      : styled(stream, "yellow", "not available");
    const [first, second] = engine.available
      ? [engine.device, `${engine.precisions.join(", ")}; version ${engine.version}`]
      : [engine.reason, engine.remedy];
    return [`${engine.name.padEnd(width)}  ${state}  ${first}`, `${" ".repeat(width)}  ${second}`];
  });
  return `${lines.join("\n")}\n`;
}
