/** Reads an instant of the wire: "2020-03-12T10:00:00.000Z". */
// biome-ignore lint/style/noRestrictedGlobals: reads an instant that is given, and asks for none
export const instantOf = (text: string): number => Date.parse(text);
