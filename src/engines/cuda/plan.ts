// How a range of groups is cut into items for `moments`, windows of rows, and merges. A group's own cuts depend on its number of
// rows and on what the kernels say for d alone, so its result has the same bits for any windows, slices and devices.

/** Whole numbers of 64 bits as the device reads them, from numbers below 2³². */
export class Words {
  readonly #values: Uint32Array;
  length = 0;

  constructor(capacity: number) {
    this.#values = new Uint32Array(new ArrayBuffer(capacity * 8));
  }

  push(value: number): void {
    this.#values[2 * this.length++] = value;
  }

  /** As many as were pushed. */
  get view(): Uint32Array {
    return this.#values.subarray(0, 2 * this.length);
  }
}

/** Consecutive items whose rows travel together. */
export interface RowsWindow {
  readonly item: number;
  readonly items: number;
  readonly firstRow: number;
  readonly rows: number;
  /** Groups that begin in it: for progress. */
  readonly groups: number;
}

/** Merges of one launch: none needs the result of another. */
export interface MergeLevel {
  readonly first: Words;
  readonly parts: Words;
  readonly target: Words;
}

export interface Plan {
  readonly windows: readonly RowsWindow[];
  /** The most rows of a window. */
  readonly mostRows: number;
  /** [items]: first row within the window, number of rows, slot of the results */
  readonly first: Words;
  readonly length: Words;
  readonly target: Words;
  readonly levels: readonly MergeLevel[];
  /** Slots of the groups' own results, which come first. */
  readonly groups: number;
  /** All slots: results of groups, of parts, and of merged parts. */
  readonly slots: number;
}

export interface PlanShape {
  /** [B+1]: of all groups */
  readonly offsets: Float64Array;
  /** The range: slot 0 is group `from`. */
  readonly from: number;
  readonly to: number;
  readonly partRows: number;
  readonly mergeParts: number;
  /** Rows that a window is to hold; a part may be longer. */
  readonly windowRows: number;
}

/** Slots beyond its own that a group of n rows takes. */
export function extraSlots(n: number, partRows: number, mergeParts: number): number {
  let extra = 0;
  if (n <= partRows) return 0;
  for (let parts = Math.ceil(n / partRows); parts > 1; parts = Math.ceil(parts / mergeParts)) extra += parts;
  return extra;
}

export function planRows({ offsets, from, to, partRows, mergeParts, windowRows }: PlanShape): Plan {
  const items = itemsOf(offsets, from, to, partRows);
  const [first, length, target] = [new Words(items), new Words(items), new Words(items)];
  const windows: RowsWindow[] = [];
  const split: { group: number; slot: number; parts: number }[] = [];
  let slots = to - from;
  let mostRows = 0;
  let window = { item: 0, firstRow: offsets[from], groups: 0 };

  const cut = (row: number): void => {
    if (length.length === window.item) return;
    const rows = row - window.firstRow;
    windows.push({ ...window, items: length.length - window.item, rows });
    mostRows = Math.max(mostRows, rows);
    window = { item: length.length, firstRow: row, groups: 0 };
  };
  const add = (row: number, rows: number, slot: number): void => {
    if (row + rows - window.firstRow > windowRows) cut(row);
    first.push(row - window.firstRow);
    length.push(rows);
    target.push(slot);
  };

  for (let g = from; g < to; g++) {
    const n = offsets[g + 1] - offsets[g];
    if (n <= partRows) {
      add(offsets[g], n, g - from);
    } else {
      const parts = Math.ceil(n / partRows);
      split.push({ group: g - from, slot: slots, parts });
      for (let part = 0; part < parts; part++) {
        const row = part * partRows;
        add(offsets[g] + row, Math.min(partRows, n - row), slots++);
      }
    }
    window.groups++;
  }
  cut(offsets[to]);
  const merges = planMerges(split, mergeParts, slots);
  return { windows, mostRows, first, length, target, groups: to - from, ...merges };
}

function itemsOf(offsets: Float64Array, from: number, to: number, partRows: number): number {
  let items = 0;
  for (let g = from; g < to; g++) items += Math.max(1, Math.ceil((offsets[g + 1] - offsets[g]) / partRows));
  return items;
}

/** The parts of each split group become one, level by level: runs of `mergeParts` neighbours, each into a slot of its own. */
function planMerges(
  split: { group: number; slot: number; parts: number }[],
  mergeParts: number,
  used: number,
): Pick<Plan, "levels" | "slots"> {
  const levels: MergeLevel[] = [];
  let slots = used;
  let open = split;
  while (open.length > 0) {
    const merges = open.reduce((sum, { parts }) => sum + Math.ceil(parts / mergeParts), 0);
    const level = { first: new Words(merges), parts: new Words(merges), target: new Words(merges) };
    const next: typeof split = [];
    for (const { group, slot, parts } of open) {
      const runs = Math.ceil(parts / mergeParts);
      if (runs > 1) next.push({ group, slot: slots, parts: runs });
      for (let run = 0; run < runs; run++) {
        level.first.push(slot + run * mergeParts);
        level.parts.push(Math.min(mergeParts, parts - run * mergeParts));
        level.target.push(runs > 1 ? slots++ : group);
      }
    }
    levels.push(level);
    open = next;
  }
  return { levels, slots };
}

/** Cuts groups 0 … total−1 into consecutive ranges of at most `bytes`, one group at the least; `bytesOf(g)` may vary. */
export function slices(
  total: number,
  bytes: number,
  bytesOf: (group: number) => number,
): { readonly from: number; readonly to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  let from = 0;
  let sum = 0;
  for (let g = 0; g < total; g++) {
    const own = bytesOf(g);
    if (g > from && sum + own > bytes) {
      ranges.push({ from, to: g });
      from = g;
      sum = 0;
    }
    sum += own;
  }
  if (total > from) ranges.push({ from, to: total });
  return ranges;
}
