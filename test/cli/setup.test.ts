import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderWith, mvnfit } from "./command.js";

// The build itself is tried by scripts/test-tensorflow.mjs.
describe.runIf(process.platform === "linux")("mvnfit setup tensorflow", () => {
  const folder = folderWith();
  const env = () => ({ MVNFIT_TENSORFLOW: folder.file("home") });

  it("prints its steps with --dry-run, as commands, and does nothing", async () => {
    const { code, stdout, stderr } = await mvnfit(["setup", "tensorflow", "--dry-run"], { env: env() });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.match(/^# \d\/6 /gm)).toHaveLength(6);
    expect(stdout).toMatch(/^python3 -m pip install --target .*home\/python-cpu.* tensorflow(-cpu)?==/m);
    expect(stdout).toContain("@tensorflow/tfjs-node-gpu@");
    expect(existsSync(folder.file("home"))).toBe(false);
  });

  it("takes TensorFlow with CUDA on request", async () => {
    const { stdout } = await mvnfit(["setup", "tensorflow", "--gpu", "--dry-run"], { env: env() });
    expect(stdout).toMatch(/pip install .*python-gpu.* 'tensorflow\[and-cuda\]==/);
  });

  it("looks for what it takes before it fetches anything, and says what to install", async () => {
    const bin = folder.file("bin");
    await mkdir(bin);
    await symlink(process.execPath, join(bin, "node"));
    const { code, stderr } = await mvnfit(["setup", "tensorflow"], { env: { ...env(), PATH: bin } });
    expect(code).toBe(1);
    expect(stderr).toContain(
      "python3: not found. Install it, on Debian and Ubuntu: apt-get install python3-pip",
    );
    expect(existsSync(folder.file("home"))).toBe(false);
  });

  it.each([
    [["setup"], "setup: name what to set up: tensorflow"],
    [["setup", "cuda"], 'setup: knows tensorflow only, got "cuda"'],
    [["setup", "tensorflow", "cuda"], 'setup: takes one name, got "cuda" as well'],
    [["setup", "tensorflow", "--dry-ran"], "setup: unknown option --dry-ran (did you mean --dry-run?)"],
  ])("%j is refused", async (words, message) => {
    const { code, stderr } = await mvnfit(words, { env: env() });
    expect({ code, stderr: stderr.trim() }).toEqual({ code: 2, stderr: `error: ${message}` });
  });
});
