import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Builds dist once before the tests, which run what is shipped. */
export default function setup(): void {
  const node = (...call: string[]) => execFileSync(process.execPath, call, { cwd: root, stdio: "inherit" });
  node("node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json");
  node("scripts/build-wasm.mjs");
  node("scripts/build-cuda.mjs");
  node("scripts/build-autograd.mjs");
  node("scripts/build-command.mjs");
  // The engine cuda runs on it; without a compiler its tests are skipped.
  if (spawnSync("g++", ["--version"]).status === 0) node("scripts/build-stand-in.mjs");
}
