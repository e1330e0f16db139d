import { createWriteStream, rmSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What came through a pipe, as a file that can be read more than once. */
export interface Spool {
  readonly path: string;
  readonly bytes: number;
  readonly gzip: boolean;
  remove(): Promise<void>;
}

/** Writes a stream to a temporary file, which goes with `remove`, with a failure, or at the latest with the process. */
export async function spool(stream: Readable, signal: AbortSignal | undefined): Promise<Spool> {
  const folder = await mkdtemp(join(tmpdir(), "mvnfit-spool-"));
  const atExit = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", atExit);
  const remove = async () => {
    await rm(folder, { recursive: true, force: true });
    process.off("exit", atExit);
  };
  const path = join(folder, "rows");
  try {
    const file = createWriteStream(path);
    await pipeline(stream, file, signal ? { signal } : {});
    return { path, bytes: file.bytesWritten, gzip: await isGzip(path), remove };
  } catch (error) {
    await remove();
    throw signal?.aborted ? signal.reason : error;
  }
}

/** Source: RFC 1952, ID1 and ID2. */
async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}
