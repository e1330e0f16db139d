// Bundles the command into dist/cli/command.js, with yargs and what else it parses words with: to find, read and compile 150 small files takes
// longer than most of what the command does. The script of the worker threads of the engines native and wasm is bundled likewise.
//
// tsc has left the same code in dist unbundled, for whoever imports the library.
import { readFile } from "node:fs/promises";
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeLicences } from "./licences.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = `${root}src${sep}`;

/** Packages that become part of the bundle, with those that they need. All others stay where they are installed. */
const BUNDLED = ["yargs", "fastest-levenshtein"];

/**
 * What tells how wide a text is on a terminal comes with yargs in two versions that compile their tables of emoji when they are loaded,
 * for 15 ms each. This one does when it is first asked.
 */
const WIDTHS = { "string-width": fileURLToPath(import.meta.resolve("string-width")) };

/**
 * Every module of ours looks for what lies beside it where tsc has put it. What is not bundled is loaded when the module that imports it is
 * first used, as it would be if that were a file of its own: DuckDB is not loaded to print a help text.
 */
const inPlace = {
  name: "in-place",
  setup({ initialOptions, onLoad, onResolve }) {
    const entry = Object.keys(initialOptions.entryPoints)[0];
    const up = "../".repeat(entry.split("/").length - 1);
    onResolve({ filter: /^[^./]/ }, ({ path, kind, importer, namespace }) => {
      if (kind === "entry-point") return undefined;
      if (namespace === "outside") return { path, external: true };
      const ours = importer.startsWith(source);
      if (ours && kind !== "import-statement") return { path, external: true };
      const bundled = ours ? BUNDLED.includes(path) : !path.startsWith("node:") && !BUILTIN.test(path);
      return bundled ? undefined : { path, namespace: "outside" };
    });
    onLoad({ filter: /.*/, namespace: "outside" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const built = up + relative(source, path).replaceAll(sep, "/").replace(/ts$/, "js");
      const url = `new URL(${JSON.stringify(built)}, import.meta.url).href`;
      return { contents: (await readFile(path, "utf8")).replaceAll("import.meta.url", url), loader: "ts" };
    });
  },
};

/** Modules of Node's that packages name without their prefix. */
const BUILTIN = /^(assert|fs|path|process|url|util)$/;

const bundle = (entry) =>
  build({
    entryPoints: { [entry]: `${source}${entry}.ts` },
    outdir: `${root}dist`,
    bundle: true,
    minify: true,
    keepNames: true,
    format: "esm",
    platform: "node",
    target: "node20",
    alias: WIDTHS,
    plugins: [inPlace],
    banner: {
      js: 'import { createRequire as createRequireOfNode } from "node:module"; const require = createRequireOfNode(import.meta.url);',
    },
    sourcemap: true, // in place of those that tsc has left for the entries
    sourcesContent: false,
    legalComments: "none",
    metafile: true,
    absWorkingDir: root,
  });

for (const entry of ["cli/command", "engines/threads/worker"]) {
  const { metafile } = await bundle(entry);
  const name = `dist/${entry}.js`;
  const { bytes } = metafile.outputs[name];
  const packages = writeLicences(metafile, `${root}${name.replace(/js$/, "LICENSES.txt")}`);
  console.log(`${name}: bundled, ${Math.ceil(bytes / 1024)} KB, ${packages} packages`);
}
