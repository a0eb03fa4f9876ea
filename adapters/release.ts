/** Release of this code, as in package.json: a decision's record names it, since other code may decide otherwise. */
export const RELEASE = "0.1.0";
