/**
 * Terms that are refused when they are loaded: a tier table, an instrument or a policy that would
 * make a wrong requirement. Never thrown while an account is decided.
 */
export class TermsError extends Error {
  /** What was refused: "tiers of BTC-PERP", "policy standard v3". */
  readonly subject: string;
  /** Where in it: "bracket 3", "collateral BTC, slice 2". */
  readonly place: string;
  /** What to change. */
  readonly mend: string;

  constructor(subject: string, place: string, fault: string, mend: string) {
    super(`${subject}, ${place}: ${fault}. ${mend}`);
    this.name = "TermsError";
    this.subject = subject;
    this.place = place;
    this.mend = mend;
  }
}
