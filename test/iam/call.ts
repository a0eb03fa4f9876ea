/** A request to a service, as IAM sees it. */
export interface Call {
  /** ARN of a role, or a service's principal: `sns.amazonaws.com`. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** Condition keys of the request. */
  readonly context: Readonly<Record<string, string>>;
  /** Who makes it and what for. */
  readonly by: string;
}

const keyOf = ({ principal, action, resource, context, by }: Call): string =>
  JSON.stringify([principal, action, resource, Object.entries(context).sort(), by]);

/** Each call once, in the order in which it was first made. */
export const distinct = (calls: Iterable<Call>): readonly Call[] => [
  ...new Map([...calls].map((call): [string, Call] => [keyOf(call), call])).values(),
];

export const shown = ({ principal, action, resource, context, by }: Call): string =>
  `${principal.split("/").at(-1)} ${action} ${resource} ${JSON.stringify(context)} (${by})`;
