/** Reading of instants in price files: the form is judged by itself, so that one file with two forms is noticed (S25). */

/** A read instant and the form it was written in; a file has one form. */
export type Reading = { readonly at: number; readonly form: string } | { readonly reason: string };

const UNITS = [
  { unit: "seconds", from: 1e8, perMs: 0.001 },
  { unit: "milliseconds", from: 1e11, perMs: 1 },
  { unit: "microseconds", from: 1e14, perMs: 1_000 },
] as const;

/** Judges the unit of an epoch number by its range: seconds, milliseconds or microseconds from 1973 to 5138. */
export const readEpoch = (text: string): Reading => {
  if (!/^\d{9,17}(\.0*)?$/.test(text)) return { reason: `"${text.slice(0, 40)}" is no whole epoch time` };
  const value = Number(text);
  const unit = UNITS.findLast(({ from }) => value >= from);
  if (unit === undefined || value >= 1e17) return { reason: `epoch time ${text} is outside of the range of any unit` };
  const at = value / unit.perMs;
  if (!Number.isInteger(at)) return { reason: `epoch time ${text} is no whole millisecond` };
  return { at, form: unit.unit };
};

const FORMS = [
  { form: "YYYY-MM-DDThh:mm:ssZ", pattern: /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.0+)?(?:Z|\+00:00)$/ },
  { form: "YYYY-MM-DD hh:mm:ss", pattern: /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)$/ },
  { form: "YYYY-MM-DD", pattern: /^(\d{4})-(\d\d)-(\d\d)()()()$/ },
] as const;

/** Reads a date in one of three forms, UTC. Anything else ("2020-11-20 07-AM") is another form and gives a reason. */
export const readDate = (text: string): Reading => {
  for (const { form, pattern } of FORMS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [number, number, number, number, number, number];
    const at = Date.UTC(year, month - 1, day, hour, minute, second);
    const same = new Date(at).toISOString().startsWith(`${match[1]}-${match[2]}-${match[3]}`) && hour < 24 && minute < 60 && second < 60;
    return same ? { at, form } : { reason: `"${text}" is no day of the calendar` };
  }
  return { reason: `date "${text.slice(0, 40)}" is in no known form` };
};
