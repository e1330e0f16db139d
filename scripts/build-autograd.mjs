// Bundles what automatic differentiation needs of TensorFlow.js into dist/autograd/tfjs.js, so that installing mvnfit does not
// carry the 273 MB of its packages, with the licences of all that went in beside it.
//
// src/autograd/tfjs.d.ts declares what the bundle exports.
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { writeLicences } from "./licences.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}dist/autograd/`;
const name = relative(process.cwd(), `${folder}tfjs.js`);

// The core registers every gradient when asked to; its CPU backend is the stock one, in float32.
const entry = `
export * from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-backend-cpu";
`;

const result = await build({
  stdin: { contents: entry, resolveDir: root },
  bundle: true,
  minify: true,
  format: "esm",
  platform: "node",
  target: "node20",
  mainFields: ["module", "main"],
  // Some of what is bundled is CommonJS and asks for Node's own modules by require. node-fetch would stand in for a global fetch,
  // which every Node supported here has.
  banner: {
    js: 'import { createRequire as createRequireOfNode } from "node:module"; const require = createRequireOfNode(import.meta.url);',
  },
  external: ["node-fetch"],
  legalComments: "none",
  metafile: true,
  absWorkingDir: root,
  outfile: `${folder}tfjs.js`,
});

const packages = writeLicences(result.metafile, `${folder}tfjs.LICENSES.txt`);
const [{ bytes }] = Object.values(result.metafile.outputs);
console.log(`${name}: bundled, ${Math.ceil(bytes / 1024)} KB, ${packages} packages`);
