// How a call is cut into items of work, which threads claim one after the other.
//
// A group's own cuts depend on its number of rows n and on d alone, so its result is the same bit for bit for any number of
// threads and any path by which the rows come:
//   n ≤ slice           one call of `moments`
//   n > slice           slices of a fixed number of rows, merged in order
//   several parts       fixed runs of slices, done by different threads; whoever finishes last merges the parts in order

/** What one slice of float64 rows takes: resident in a core's second-level cache. */
const SLICE_BYTES = 2 ** 20;
/** An item of whole groups: rows and results. Rows read in place need no cache of ours, so there an item may be larger. */
const ITEM_BYTES = { window: 2 ** 20, inPlace: 2 ** 22, statistics: 2 ** 18 };
/** Statistics and results of an item: written and read again within it, so they should stay in a core's cache. */
const ITEM_RESULT_BYTES = 2 ** 20;
/** At least this many items a thread, so that threads end together. */
const ITEMS_A_THREAD = 8;
/** At most this many parts of one group: as many threads can share it, and so many partial statistics are kept. */
const MOST_PARTS = 256;
/** A part has at least this many slices, and at least 8·d rows, so that merging d² values a part costs little beside them. */
const LEAST_SLICES = 2;
const LEAST_ROWS_A_DIM = 8;

/** The words of an item in the table of items. */
export const ITEM = { group: 0, groups: 1, firstRow: 2, endRow: 3, split: 4, part: 5, words: 6 } as const;
/** The words of a split group: parts still missing, its first partial statistics, how many. */
export const SPLIT = { missing: 0, first: 1, parts: 2, words: 3 } as const;

export interface Plan {
  /** [items, ITEM.words] */
  readonly items: Float64Array;
  /** [split groups, SPLIT.words] */
  readonly splits: Int32Array;
  /** Partial statistics of all split groups. */
  readonly partials: number;
  /** The most groups of one item. */
  readonly mostGroups: number;
  /** The most rows that one call of `moments` is given. */
  readonly mostRows: number;
  /** Rows of a slice. */
  readonly sliceRows: number;
}

export interface RowsShape {
  /** [B+1] */
  readonly offsets: Float64Array;
  readonly dims: number;
  /** `chunk_rows(d)` of the kernels: slices end where chunks do. */
  readonly chunkRows: number;
  /** Bytes of one row, its weight included. */
  readonly rowBytes: number;
  /** Bytes of what the kernels read and write for one group beside its rows. */
  readonly groupBytes: number;
  readonly threads: number;
  /** Whether rows are read where they lie. */
  readonly inPlace: boolean;
}

/** Rows of a slice, from d alone. */
export function sliceRows(dims: number, chunkRows: number): number {
  return chunkRows * Math.max(1, Math.floor(SLICE_BYTES / (8 * dims) / chunkRows));
}

/** Rows of a part of a group of n rows, from n and d alone. */
function partRows(n: number, dims: number, slice: number): number {
  const slices = Math.max(
    LEAST_SLICES,
    Math.ceil((LEAST_ROWS_A_DIM * dims) / slice),
    Math.ceil(n / slice / MOST_PARTS),
  );
  return slices * slice;
}

/** Items over rows: ranges of consecutive groups, and parts of the large ones. */
export function planRows(shape: RowsShape): Plan {
  const { offsets, dims, rowBytes, groupBytes, threads } = shape;
  const total = offsets.length - 1;
  const slice = sliceRows(dims, shape.chunkRows);
  const most = Math.min(
    mostGroupsOf(total, threads),
    Math.max(1, Math.floor(ITEM_RESULT_BYTES / groupBytes)),
  );
  const budget = shape.inPlace ? ITEM_BYTES.inPlace : ITEM_BYTES.window;
  const items: number[] = [];
  const splits: number[] = [];
  let partials = 0;
  let mostGroups = 1;
  let mostRows = 0;

  const addRange = (from: number, to: number): void => {
    if (from === to) return;
    items.push(from, to - from, offsets[from], offsets[to], -1, 0);
    mostGroups = Math.max(mostGroups, to - from);
    mostRows = Math.max(mostRows, Math.min(offsets[to] - offsets[from], to - from > 1 ? Infinity : slice));
  };
  const addParts = (group: number, rows: number): void => {
    const parts = Math.ceil((offsets[group + 1] - offsets[group]) / rows);
    for (let part = 0; part < parts; part++) {
      const first = offsets[group] + part * rows;
      const end = Math.min(first + rows, offsets[group + 1]);
      items.push(group, 1, first, end, splits.length / SPLIT.words, part);
    }
    splits.push(parts, partials, parts);
    partials += parts;
    mostRows = Math.max(mostRows, slice);
  };

  let first = 0;
  let bytes = 0;
  for (let g = 0; g < total; g++) {
    const n = offsets[g + 1] - offsets[g];
    const own = n * rowBytes + groupBytes;
    if (g > first && (bytes + own > budget || g - first >= most || n > slice)) {
      addRange(first, g);
      first = g;
      bytes = 0;
    }
    bytes += own;
    if (n > slice) {
      const rows = partRows(n, dims, slice);
      if (n > rows) addParts(g, rows);
      else addRange(g, g + 1);
      first = g + 1;
      bytes = 0;
    }
  }
  addRange(first, total);
  return {
    items: shared(items),
    splits: sharedWords(splits),
    partials,
    mostGroups,
    mostRows,
    sliceRows: slice,
  };
}

/** The same plan for another call, which counts the missing parts afresh. */
export function renewed(plan: Plan): Plan {
  return plan.splits.length > 0 ? { ...plan, splits: sharedWords(plan.splits) } : plan;
}

/** Items over statistics: ranges of consecutive groups. */
export function planGroups(total: number, groupBytes: number, threads: number): Plan {
  const fitting = Math.max(1, Math.floor(ITEM_BYTES.statistics / groupBytes));
  const most = Math.min(fitting, mostGroupsOf(total, threads));
  const items: number[] = [];
  for (let g = 0; g < total; g += most) items.push(g, Math.min(most, total - g), 0, 0, -1, 0);
  return {
    items: shared(items),
    splits: sharedWords([]),
    partials: 0,
    mostGroups: Math.min(most, Math.max(1, total)),
    mostRows: 0,
    sliceRows: 0,
  };
}

const mostGroupsOf = (total: number, threads: number): number =>
  Math.max(1, Math.floor(total / (ITEMS_A_THREAD * threads)));

function shared(values: number[]): Float64Array {
  const array = new Float64Array(new SharedArrayBuffer(values.length * 8));
  array.set(values);
  return array;
}

function sharedWords(values: ArrayLike<number>): Int32Array {
  const array = new Int32Array(new SharedArrayBuffer(values.length * 4));
  array.set(values);
  return array;
}
