import { once } from "node:events";
import { open } from "node:fs/promises";

/** Characters gathered before they are handed on: large enough that a write costs little beside its content. */
const BATCH_CHARACTERS = 1 << 18;

/** Writes pieces of text to a new file, as they come. */
export async function writeText(file: string, pieces: Iterable<string>, signal?: AbortSignal): Promise<void> {
  const handle = await open(file, "wx");
  try {
    for (const batch of batches(pieces)) {
      signal?.throwIfAborted();
      await handle.writeFile(batch);
    }
  } finally {
    await handle.close();
  }
}

/** Writes pieces of text to a stream, no faster than it takes them. */
export async function printText(
  stream: NodeJS.WritableStream,
  pieces: Iterable<string>,
  signal?: AbortSignal,
): Promise<void> {
  for (const batch of batches(pieces)) {
    signal?.throwIfAborted();
    if (!stream.write(batch)) await once(stream, "drain", signal ? { signal } : {});
  }
}

function* batches(pieces: Iterable<string>): Generator<string> {
  let batch = "";
  for (const piece of pieces) {
    batch += piece;
    if (batch.length >= BATCH_CHARACTERS) {
      yield batch;
      batch = "";
    }
  }
  if (batch !== "") yield batch;
}
