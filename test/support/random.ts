/** Seeded random numbers, the same on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1), 32 bits. Source: mulberry32, public domain, T. Ettinger. */
  uniform(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.uniform() * (most - least + 1));
  }

  /** Standard normal. Source: Box & Muller (1958). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  normals(length: number): Float64Array {
    return Float64Array.from({ length }, () => this.normal());
  }

  /** 0 … length−1 in random order. Source: Fisher & Yates (1938). */
  permutation(length: number): number[] {
    const order = Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}
