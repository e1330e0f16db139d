// What the measurements on a GPU host share.

/** Runs of which the median is told. */
export const RUNS = 7;

/** Calls of one run, between two waits for the device: enough that the waiting counts for little. peers.py makes as many. */
export const CALLS = 20;

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** B × n × d of goals.md that peers have memory for. */
export const PEER_SHAPES = [
  [100_000, 50, 3],
  [10_000, 500, 4],
  [10_000, 200, 8],
  [5_000, 400, 16],
  [2_000, 500, 32],
  [500, 1000, 64],
  [100_000, 200, 8],
];

/** Those, and with ten times the groups what fills a device. */
export const SHAPES = [...PEER_SHAPES, [100, 2000, 128], [1_000_000, 50, 3], [20_000, 500, 32]];
