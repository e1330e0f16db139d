import { access, constants, stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { InputError } from "../../errors.js";

/**
 * Checks before any work that a file can be written: its ending is one of `endings`, its folder exists and can be written to, and
 * it is none of `inputs`. Gives the ending.
 *
 * @throws InputError
 */
export async function checkTarget<Ending extends string>(
  path: string,
  endings: readonly Ending[],
  inputs: readonly string[] = [],
): Promise<Ending> {
  const ending = extname(path).toLowerCase() as Ending;
  if (!endings.includes(ending)) {
    throw new InputError(
      `${path}: cannot write a file of this ending; it must be one of ${endings.join(", ")}`,
    );
  }
  const folder = dirname(path);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new InputError(`${path}: there is no folder ${folder}`);
  await access(folder, constants.W_OK).catch(() => {
    throw new InputError(`${path}: folder ${folder} cannot be written to`);
  });
  const existing = await stat(path).catch(() => undefined);
  if (existing && !existing.isFile()) throw new InputError(`${path}: is there and is not a file`);
  for (const input of inputs) {
    const read = await stat(input).catch(() => undefined);
    if (existing && read && existing.ino === read.ino && existing.dev === read.dev) {
      throw new InputError(`${path}: is one of the files to read; choose another name for the output`);
    }
  }
  return ending;
}
