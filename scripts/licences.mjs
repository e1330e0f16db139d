// The licences of the packages that went into a bundle of esbuild's, as a text to lie beside it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Writes them to a file, if there are any; gives the number of packages. `metafile` names the inputs relative to the project. */
export function writeLicences(metafile, file) {
  /** Folders of the packages, as in node_modules/@a/b. */
  const packages = new Set(
    Object.keys(metafile.inputs).flatMap(
      (path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/)?.[0] ?? [],
    ),
  );
  const notices = [...packages].sort().map((path) => {
    const { name, version, license } = JSON.parse(readFileSync(`${root}${path}/package.json`, "utf8"));
    return `${name} ${version} (${license})\n\n${licenceOf(path, license).trim()}\n`;
  });
  if (notices.length === 0) return 0;
  const bundle = basename(file).replace("LICENSES.txt", "js");
  writeFileSync(file, `${bundle} holds these packages.\n\n${notices.join(`\n${"-".repeat(80)}\n\n`)}`);
  return packages.size;
}

/** A package's licence: its own file, the section of its README, or Apache's text, which is the same for all. */
function licenceOf(path, licence) {
  const text = (file) => readFileSync(`${root}${file}`, "utf8");
  const files = readdirSync(`${root}${path}`);
  const file = files.find((one) => /^licen[cs]e([.-].*)?$/i.test(one));
  if (file) return text(`${path}/${file}`);
  const readme = files.find((one) => /^readme\.md$/i.test(one));
  const section = readme && text(`${path}/${readme}`).match(/^LICENSE.*\n-+\n[\s\S]*/m);
  if (section) return section[0];
  if (licence === "Apache-2.0") return text("node_modules/typescript/LICENSE.txt");
  throw new Error(`${path}: no text for its licence ${licence}`);
}
