/**
 * Random numbers that are the same on every machine: integers by shifts and adds, and everything made of them by + − × ÷ and √ alone,
 * which IEEE 754 fixes to the last bit.
 *
 * Source: xoshiro128**, Blackman & Vigna (2021), "Scrambled linear pseudorandom number generators", ACM TOMS 47(4). Period 2^128 − 1.
 */
export class Random {
  readonly #state: Uint32Array;

  private constructor(state: Uint32Array) {
    this.#state = state;
  }

  /** The state is filled from the seed by SplitMix32, as the authors advise: similar seeds give unrelated numbers. */
  static fromSeed(seed: number): Random {
    const mix = splitMix32(seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0);
    return new Random(Uint32Array.from({ length: 4 }, mix));
  }

  /** A generator of its own, whose state is drawn from this one. */
  fork(): Random {
    return new Random(Uint32Array.from({ length: 4 }, () => this.word()));
  }

  /** 32 random bits. */
  word(): number {
    const s = this.#state;
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9);
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11);
    return result >>> 0;
  }

  /** Uniform on (0, 1): the middle of one of 2^52 equal parts. */
  uniform(): number {
    return ((this.word() >>> 6) * 2 ** 26 + (this.word() >>> 6) + 0.5) * 2 ** -52;
  }

  /** A whole number from `least` to `most`, both included, each as likely up to 2^-52 of the range. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.uniform() * (most - least + 1));
  }

  /**
   * Standard normal, by the ratio of uniforms v/u. The logarithm is asked for in about 1 % of the draws, and only to accept or refuse:
   * its last bit, which differs between machines, is not in the result.
   *
   * Source: Leva (1992), "A fast normal random number generator", ACM TOMS 18(4), with the constants of Algorithm 712.
   */
  normal(): number {
    for (;;) {
      const u = this.uniform();
      const v = 1.7156 * (this.uniform() - 0.5);
      const x = u - 0.449871;
      const y = Math.abs(v) + 0.386595;
      const q = x * x + y * (0.196 * y - 0.25472 * x);
      if (q < 0.27597) return v / u;
      if (q <= 0.27846 && v * v <= -4 * u * u * Math.log(u)) return v / u;
    }
  }
}

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/** Source: SplitMix (Steele, Lea & Flood 2014) with 32-bit words and the finaliser of MurmurHash3. */
function splitMix32(low: number, high: number): () => number {
  let state = low ^ Math.imul(high, 0x85ebca6b);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x85ebca6b);
    z ^= z >>> 13;
    z = Math.imul(z, 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}
