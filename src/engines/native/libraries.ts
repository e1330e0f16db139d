// Which of the libraries that scripts/build-native.mjs makes this machine can run.
import { existsSync } from "node:fs";
import { arch, platform } from "node:process";
import { fileURLToPath } from "node:url";
import { LIBRARY_ENDING } from "../../shared-library.js";

/** What libraries are compiled to, by architecture, the fastest first: name in the file's name → in words. */
const INSTRUCTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  x64: { avx512: "AVX-512", avx2: "AVX2" },
  arm64: { neon: "NEON" },
};

const INSTEAD = "Use the engine wasm, which runs everywhere";

export type Choice =
  | { readonly file: string; readonly instructions: string; readonly version: string }
  | { readonly reason: string; readonly remedy: string };

/** The library for a set of instructions, whether it is there or not. */
export const libraryOf = (
  instructions: string,
  folder = new URL("../../kernels/native/", import.meta.url),
): string => fileURLToPath(new URL(`mvn-${platform}-${arch}-${instructions}.${LIBRARY_ENDING}`, folder));

/**
 * The fastest library that runs here; where `asked` is not empty (MVNFIT_INSTRUCTIONS), the one for these instructions.
 *
 * @param find where a library would be: another place in tests
 */
export async function chooseLibrary(asked: string, find = libraryOf): Promise<Choice> {
  const all = INSTRUCTIONS[arch] ?? {};
  if (asked !== "" && !Object.hasOwn(all, asked)) {
    const names = Object.keys(all).join(", ");
    const reason = `MVNFIT_INSTRUCTIONS must be one of ${names || "none on this processor"}, got "${asked}"`;
    return { reason, remedy: `Unset it. ${INSTEAD}` };
  }
  const candidates = Object.keys(all).filter((name) => asked === "" || name === asked);
  const present = candidates.filter((name) => existsSync(find(name)));
  if (present.length === 0) {
    const reason = `there is no library of the kernels for ${platform}-${arch}${asked && ` with ${all[asked]}`}`;
    return { reason, remedy: `In a clone, run npm run build:native. ${INSTEAD}` };
  }
  try {
    const { isSupported, VERSION } = await import("../threads/library.js");
    const found = present.find((name) => isSupported(find(name)));
    if (found) return { file: find(found), instructions: all[found], version: VERSION };
  } catch (error) {
    const reason = `the library of the kernels does not load: ${(error as Error).message}`;
    return { reason, remedy: `It needs glibc on Linux. ${INSTEAD}` };
  }
  const wanted = present.map((name) => all[name]).join(" or ");
  return { reason: `the processor or the system does not have ${wanted}`, remedy: INSTEAD };
}
