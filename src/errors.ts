/** The caller's mistake: a wrong call or wrong input. Thrown before any work is done; says place, rule and value. */
export class InputError extends Error {
  override name = "InputError";
}

/** An engine that cannot be had, cannot do what was asked, or broke while it worked. Says why and what to do. */
export class EngineError extends Error {
  override name = "EngineError";
  readonly remedy: string;

  constructor(reason: string, remedy: string, options?: ErrorOptions) {
    super(remedy === "" ? reason : `${reason}. ${remedy}`, options);
    this.remedy = remedy;
  }
}
