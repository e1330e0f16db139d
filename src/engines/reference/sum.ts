/**
 * Sums of many terms side by side, each with the part that rounding took from it (Neumaier 1974): the error does not grow with the
 * number of terms.
 */
export class Sums {
  readonly #sum: Float64Array;
  readonly #lost: Float64Array;

  constructor(length: number) {
    this.#sum = new Float64Array(length);
    this.#lost = new Float64Array(length);
  }

  add(index: number, term: number): void {
    const before = this.#sum[index];
    const after = before + term;
    this.#sum[index] = after;
    this.#lost[index] += Math.abs(before) >= Math.abs(term) ? before - after + term : term - after + before;
  }

  /** The sums, rounded once. */
  values(): Float64Array {
    return this.#sum.map((sum, i) => (Number.isFinite(sum) ? sum + this.#lost[i] : sum));
  }
}
