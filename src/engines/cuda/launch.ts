import type { Device, Shape } from "./device.js";
import type { Values } from "./kernels.js";

/** Of what a call can plan with, the share that scratch in global memory may take. */
const SCRATCH_SHARE = 1 / 8;

/** How many blocks, what scratch they have, and the arguments that every kernel with a list takes. */
export interface Launch {
  readonly blocks: number;
  readonly bytes: number;
  readonly values: Values;
}

/**
 * Blocks for a list of `length`, and the scratch that their teams need: kernels are content with any number of blocks, so where
 * scratch lies in global memory there are no more than it has room for.
 */
export function scratchOf(
  device: Device,
  shape: Shape,
  length: number,
  usable: number,
  purpose: string,
): Launch {
  const { width, sharedBytes, scratchBytes } = shape;
  const blockBytes = scratchBytes * (shape.threads / width);
  const wanted = device.blocks(shape, length);
  const most = blockBytes > 0 ? Math.floor((usable * SCRATCH_SHARE) / blockBytes) : wanted;
  const blocks = Math.max(1, Math.min(wanted, most));
  const bytes = blocks * blockBytes;
  const scratch = bytes > 0 ? device.memory.scratch(bytes, `scratch of ${purpose}`) : 0n;
  return { blocks, bytes, values: { width, sharedBytes, scratch, scratchBytes } };
}
