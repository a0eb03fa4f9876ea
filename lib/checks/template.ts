/** A CloudFormation template as synthesized; properties may hold references. */
export interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: unknown; readonly DeletionPolicy?: string }>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: string } }>>;
}

/** A resource of one of the stacks. */
export interface Declared {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly deletionPolicy: string | undefined;
  readonly properties: unknown;
}

/** What a check holds against a resource. */
export interface Finding {
  readonly check: string;
  readonly stack: string;
  readonly id: string;
  readonly says: string;
}

/** The templates of an app, read together: references are followed from stack to stack. */
export interface Deployment {
  all(type: string): readonly Declared[];
  /** The resource that a reference in a stack's template leads to; undefined for literals and pseudo parameters. */
  follow(stack: string, value: unknown): Declared | undefined;
}

/** A property by its path; undefined where the path ends early. */
export const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    value,
  );

/** A property that may be one value or a list of them. */
export const listed = (value: unknown): readonly unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

const logicalId = (value: unknown): string | undefined => {
  const ref = at(value, "Ref");
  if (typeof ref === "string") return ref;
  const attribute = at(value, "Fn::GetAtt");
  const first = Array.isArray(attribute) ? attribute[0] : typeof attribute === "string" ? attribute.split(".")[0] : undefined;
  return typeof first === "string" ? first : undefined;
};

/** Reads the templates by stack name. */
export const deploymentOf = (templates: Readonly<Record<string, Template>>): Deployment => {
  const declared = Object.entries(templates).flatMap(([stack, template]) =>
    Object.entries(template.Resources).map(
      ([id, resource]): Declared => ({
        stack,
        id,
        type: resource.Type,
        deletionPolicy: resource.DeletionPolicy,
        properties: resource.Properties ?? {},
      }),
    ),
  );
  const byId = new Map(declared.map((resource) => [`${resource.stack}/${resource.id}`, resource]));
  const exported = new Map(
    Object.entries(templates).flatMap(([stack, template]) =>
      Object.values(template.Outputs ?? {}).flatMap((output) =>
        output.Export === undefined ? [] : [[output.Export.Name, { stack, value: output.Value }] as const],
      ),
    ),
  );
  const follow = (stack: string, value: unknown): Declared | undefined => {
    const imported = at(value, "Fn::ImportValue");
    const source = typeof imported === "string" ? exported.get(imported) : undefined;
    if (source !== undefined) return follow(source.stack, source.value);
    const id = logicalId(value);
    return id === undefined ? undefined : byId.get(`${stack}/${id}`);
  };
  return { all: (type) => declared.filter((resource) => resource.type === type), follow };
};

/** Judges each resource of a type: a text is a finding. */
export const each = (
  deployment: Deployment,
  type: string,
  judge: (resource: Declared) => string | null,
): readonly Omit<Finding, "check">[] =>
  deployment.all(type).flatMap((resource) => {
    const says = judge(resource);
    return says === null ? [] : [{ stack: resource.stack, id: resource.id, says }];
  });

/** A check: what it finds in a deployment, nothing when all is well. */
export type Check = (deployment: Deployment) => readonly Omit<Finding, "check">[];
