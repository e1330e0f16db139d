import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { folderWith, PENGUINS } from "./command.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The package as installed where nobody has installed TensorFlow.js. */
describe("without TensorFlow.js", () => {
  const folder = folderWith();
  beforeAll(() => {
    for (const part of ["dist", "package.json"]) {
      cpSync(`${ROOT}/${part}`, folder.file(part), { recursive: true });
    }
    mkdirSync(folder.file("node_modules"));
    for (const name of readdirSync(`${ROOT}/node_modules`)) {
      if (name !== "@tensorflow" && !name.startsWith("."))
        symlinkSync(`${ROOT}/node_modules/${name}`, folder.file(`node_modules/${name}`));
    }
  });
  const mvnfit = (...words: string[]) =>
    spawnSync(process.execPath, [folder.file("dist/cli/main.js"), ...words], {
      encoding: "utf8",
      env: { ...process.env, MVNFIT_TENSORFLOW: folder.file("nothing") },
    });
  const REASON = "none of @tensorflow/tfjs-node-gpu, @tensorflow/tfjs-node, @tensorflow/tfjs is installed";
  const REMEDY =
    "Run mvnfit setup tensorflow, or for TensorFlow.js in JavaScript: npm install @tensorflow/tfjs";

  it("engines says so, and what to do", () => {
    const { engines } = JSON.parse(mvnfit("engines", "--json").stdout);
    const tensorflow = engines.find(({ name }: { name: string }) => name === "tensorflow");
    expect(tensorflow).toMatchObject({ available: false, device: null, reason: REASON, remedy: REMEDY });
    expect(mvnfit("engines").stdout).toContain(REASON);
  });

  it("asking for the engine by name ends with 1 and the same sentence", () => {
    const words = [PENGUINS, "--group-by", "species", "--missing", "drop"];
    const asked = mvnfit("fit", ...words, "--engine", "tensorflow");
    expect(asked.status).toBe(1);
    expect(asked.stdout).toBe("");
    expect(asked.stderr).toContain(`tensorflow: not available: ${REASON}. ${REMEDY}`);
    expect(mvnfit("fit", ...words).status).toBe(0);
  });
});
