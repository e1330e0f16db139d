import { EVALUATION, FITS, type Fields, groupBytes, PARAMETERS, STATISTICS, widthOf } from "../fields.js";
import { ELEMENT_BYTES, type Task, WINDOWS } from "./task.js";

const ALIGNMENT = 64;

export type Places<F extends Fields> = { readonly [K in keyof F]: number };

/** What of a task decides the size of a workspace. */
export type WorkspaceShape = Pick<Task, "dims" | "mostGroups" | "scratch"> & {
  readonly rows?: Pick<NonNullable<Task["rows"]>, "source" | "rowType" | "weighted" | "windowRows">;
  readonly solver?: Pick<NonNullable<Task["solver"]>, "kind"> & { readonly parameters?: unknown };
};

/**
 * Where one worker keeps what the kernels read and write during a task, as distances from the start of its part of the kernels'
 * memory. Everything for the groups of one item fits; what belongs to all groups lies outside.
 */
export class Workspace {
  readonly scratch: number;
  /** [mostGroups+1] int32 */
  readonly offsets: number;
  readonly statistics: Places<typeof STATISTICS>;
  readonly parameters: Places<typeof PARAMETERS>;
  readonly fits: Places<typeof FITS>;
  readonly evaluation: Places<typeof EVALUATION>;
  /** The first window; the next lies `windowBytes` further. */
  readonly windows: number;
  readonly windowBytes: number;
  /** Where the weights begin in a window. */
  readonly windowWeights: number;
  readonly bytes: number;

  constructor(shape: WorkspaceShape) {
    const { dims, mostGroups, rows, solver } = shape;
    let top = 0;
    const take = (bytes: number): number => {
      const at = top;
      top += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
      return at;
    };
    const takeFields = <F extends Fields>(fields: F, groups: number): Places<F> => {
      const places: Record<string, number> = {};
      for (const [name, field] of Object.entries(fields)) {
        places[name] = take(groups * widthOf(field, dims) * field.words.BYTES_PER_ELEMENT);
      }
      return places as Places<F>;
    };
    this.scratch = take(shape.scratch);
    this.offsets = take((mostGroups + 1) * 4);
    // Merging wants two statistics side by side.
    this.statistics = takeFields(STATISTICS, Math.max(2, mostGroups));
    this.parameters = takeFields(PARAMETERS, solver?.parameters ? mostGroups : 0);
    this.fits = takeFields(FITS, solver?.kind === "fit" ? mostGroups : 0);
    this.evaluation = takeFields(EVALUATION, solver?.kind === "evaluate" ? mostGroups : 0);
    const windows = { resident: 0, shared: 1, fed: WINDOWS }[rows?.source.kind ?? "resident"];
    const rowBytes = rows && windows ? rows.windowRows * dims * ELEMENT_BYTES[rows.rowType] : 0;
    const weightBytes = rows?.weighted && windows ? rows.windowRows * 8 : 0;
    this.windowWeights = Math.ceil(rowBytes / ALIGNMENT) * ALIGNMENT;
    this.windowBytes = this.windowWeights + Math.ceil(weightBytes / ALIGNMENT) * ALIGNMENT;
    this.windows = take(windows * this.windowBytes);
    this.bytes = top;
  }
}

/** Bytes that one group takes in a workspace beside its rows: what decides how many groups an item may have. */
export function workspaceGroupBytes(dims: number, solver: WorkspaceShape["solver"]): number {
  const results = solver ? groupBytes(solver.kind === "fit" ? FITS : EVALUATION, dims) : 0;
  return groupBytes(STATISTICS, dims) + (solver?.parameters ? groupBytes(PARAMETERS, dims) : 0) + results;
}
