import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The package's own folder, in a clone and where it is installed. */
export const PACKAGE_FOLDER = fileURLToPath(new URL("..", import.meta.url));

export function packageVersion(): string {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
