import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = fileURLToPath(new URL("./src/", import.meta.url));
const built = fileURLToPath(new URL("./dist/", import.meta.url));

export default defineConfig({
  plugins: [
    {
      // Tests import from ../src, where the types are; what runs is dist, as it is shipped: worker threads cannot load TypeScript.
      name: "src-to-dist",
      enforce: "pre",
      async resolveId(id, importer, options) {
        if (!importer || !id.startsWith(".")) return undefined;
        const path = resolve(dirname(importer), id);
        if (!path.startsWith(source)) return undefined;
        return this.resolve(built + path.slice(source.length), importer, { ...options, skipSelf: true });
      },
    },
  ],
  test: {
    globalSetup: "test/global-setup.ts",
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    reporters: ["default", ["json", { outputFile: "build/test-results.json" }]],
    coverage: {
      provider: "v8",
      include: ["dist/**/*.js"],
      // What runs only in worker threads or in processes of its own, where coverage does not look.
      exclude: [
        "dist/engines/cuda/{control,launch,memory,moments,residence,ring,solve,worker}.js",
        "dist/engines/threads/{perform,sources,worker}.js",
        "dist/cli/**",
      ],
      reporter: ["text", "lcovonly"],
    },
  },
});
