// Bundles what automatic differentiation needs of TensorFlow.js into dist/autograd/tfjs.js, so that installing mvnfit does not
// carry the 273 MB of its packages, with the licences of all that went in beside it.
//
// src/autograd/tfjs.d.ts declares what the bundle exports.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

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

/** Folders of the packages that went in, as in node_modules/@a/b. */
const packages = new Set(
  Object.keys(result.metafile.inputs).flatMap(
    (path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/)?.[0] ?? [],
  ),
);

/** A package's licence: its own file, the section of its README, or Apache's text, which is the same for all. */
function licenceOf(path, licence) {
  const text = (file) => readFileSync(`${root}${file}`, "utf8");
  const file = ["LICENSE", "LICENSE.md", "LICENSE.txt"].find((one) => existsSync(`${root}${path}/${one}`));
  if (file) return text(`${path}/${file}`);
  const section = text(`${path}/README.md`).match(/^LICENSE.*\n-+\n[\s\S]*/m);
  if (section) return section[0];
  if (licence === "Apache-2.0") return text("node_modules/typescript/LICENSE.txt");
  throw new Error(`${path}: no text for its licence ${licence}`);
}

const notices = [...packages].sort().map((path) => {
  const { name, version, license } = JSON.parse(readFileSync(`${root}${path}/package.json`, "utf8"));
  return `${name} ${version} (${license})\n\n${licenceOf(path, license).trim()}\n`;
});
writeFileSync(
  `${folder}tfjs.LICENSES.txt`,
  `tfjs.js holds these packages.\n\n${notices.join(`\n${"-".repeat(80)}\n\n`)}`,
);

const [{ bytes }] = Object.values(result.metafile.outputs);
console.log(`${name}: bundled, ${Math.ceil(bytes / 1024)} KB, ${packages.size} packages`);
