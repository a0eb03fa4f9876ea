import type { Json, JsonObject, Resource, Stack } from "./assembly.ts";
import { IDENTITIES, type Place } from "./resources.ts";

/** What an intrinsic is answered from. */
export interface Scope {
  readonly stacks: readonly Stack[];
  readonly place: Place;
  /** The stack that the value stands in. */
  readonly stack: Stack;
  /** Names the resource in errors. */
  readonly where: string;
}

type Answer = (scope: Scope, argument: Json) => Json;

const PSEUDO: Readonly<Record<string, (scope: Scope) => string | null>> = {
  "AWS::AccountId": ({ place }) => place.account,
  "AWS::Region": ({ place }) => place.region,
  "AWS::Partition": () => "aws",
  "AWS::URLSuffix": () => "amazonaws.com",
  "AWS::StackName": ({ stack }) => stack.name,
  "AWS::StackId": ({ stack, place }) => `arn:aws:cloudformation:${place.region}:${place.account}:stack/${stack.name}/local`,
  "AWS::NoValue": () => null,
};

const FIFO_TYPES = new Set(["AWS::SQS::Queue", "AWS::SNS::Topic"]);

const isFifo = ({ Type, Properties }: Resource): boolean =>
  FIFO_TYPES.has(Type) && (Properties?.["FifoQueue"] ?? Properties?.["FifoTopic"]) === true;

const resourceOf = ({ stack, where }: Scope, logicalId: string): Resource => {
  const resource = stack.template.Resources[logicalId];
  if (resource === undefined) throw new Error(`${where}: nothing in ${stack.name} is called ${logicalId}`);
  return resource;
};

/** The name that a resource has after the deployment: its own name property, else its logical id. */
export const physicalName = (scope: Scope, logicalId: string): string => {
  const resource = resourceOf(scope, logicalId);
  const property = IDENTITIES[resource.Type]?.nameProperty ?? null;
  const given = property === null ? undefined : resource.Properties?.[property];
  if (given !== undefined) return textOf(scope, given);
  return isFifo(resource) ? `${logicalId}.fifo` : logicalId;
};

/** `Ref` or an attribute of a resource. @throws Error that names both when the local cloud has no answer. */
export const attributeOf = (scope: Scope, logicalId: string, attribute: string): string => {
  const { Type } = resourceOf(scope, logicalId);
  const answer = IDENTITIES[Type]?.attributes(physicalName(scope, logicalId), scope.place)[attribute];
  if (answer !== undefined) return answer;
  const intrinsic = attribute === "Ref" ? `Ref of ${logicalId}` : `Fn::GetAtt ${logicalId}.${attribute}`;
  throw new Error(`${scope.where}: ${intrinsic} (${Type}) has no answer in the local cloud`);
};

const ref: Answer = (scope, argument) => {
  const name = String(argument);
  const pseudo = PSEUDO[name];
  if (pseudo !== undefined) return pseudo(scope);
  const parameter = scope.stack.template.Parameters?.[name];
  if (parameter === undefined) return attributeOf(scope, name, "Ref");
  if (parameter.Default === undefined) throw new Error(`${scope.where}: Ref of the parameter ${name}, which has no default`);
  return parameter.Default;
};

const getAtt: Answer = (scope, argument) => {
  const [logicalId = "", ...path] = typeof argument === "string" ? argument.split(".") : (argument as readonly string[]);
  return attributeOf(scope, logicalId, path.join("."));
};

const join: Answer = (scope, argument) => {
  const [separator, parts] = argument as readonly [string, Json];
  return listOf(scope, parts)
    .map((part) => textOf(scope, part))
    .join(separator);
};

const sub: Answer = (scope, argument) => {
  const [pattern, variables] = typeof argument === "string" ? [argument, {}] : (argument as readonly [string, JsonObject]);
  return pattern.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
    if (literal === "!") return `\${${name}}`;
    return textOf(scope, variables[name] ?? (name.includes(".") ? { "Fn::GetAtt": name } : { Ref: name }));
  });
};

const importValue: Answer = (scope, argument) => {
  const name = textOf(scope, argument);
  for (const stack of scope.stacks) {
    for (const [outputId, { Value, Export }] of Object.entries(stack.template.Outputs ?? {})) {
      const exporter: Scope = { ...scope, stack, where: `${stack.name}/${outputId}` };
      if (Export !== undefined && textOf(exporter, Export.Name) === name) return textOf(exporter, Value);
    }
  }
  throw new Error(`${scope.where}: Fn::ImportValue ${name} is exported by no stack of the assembly`);
};

const stackOutput: Answer = (scope, argument) => {
  const { StackName = "", OutputName = "" } = argument as JsonObject;
  const [stackName, outputName] = [textOf(scope, StackName), textOf(scope, OutputName)];
  const stack = scope.stacks.find(({ name }) => name === stackName);
  const output = stack?.template.Outputs?.[outputName];
  if (stack === undefined || output === undefined) {
    throw new Error(`${scope.where}: Fn::GetStackOutput ${stackName}.${outputName} does not exist`);
  }
  return textOf({ ...scope, stack, where: `${stackName}/${outputName}` }, output.Value);
};

const split: Answer = (scope, argument) => {
  const [separator, source] = argument as readonly [string, Json];
  return textOf(scope, source).split(separator);
};

const select: Answer = (scope, argument) => {
  const [index, source] = argument as readonly [Json, Json];
  const picked = listOf(scope, source)[Number(index)];
  if (picked === undefined) throw new Error(`${scope.where}: Fn::Select ${Number(index)} is past the end of its list`);
  return picked;
};

const INTRINSICS: Readonly<Record<string, Answer>> = {
  Ref: ref,
  "Fn::GetAtt": getAtt,
  "Fn::Join": join,
  "Fn::Sub": sub,
  "Fn::ImportValue": importValue,
  "Fn::GetStackOutput": stackOutput,
  "Fn::Split": split,
  "Fn::Select": select,
};

const isIntrinsic = (name: string): boolean => name === "Ref" || name.startsWith("Fn::");

/**
 * A template's value with every intrinsic answered as CloudFormation would answer it after a
 * deployment to the local place.
 *
 * @throws Error that names the resource and the intrinsic when there is no answer.
 */
export const resolve = (scope: Scope, value: Json | undefined): Json => {
  if (value === undefined || value === null || typeof value !== "object") return value ?? null;
  if (Array.isArray(value)) return value.map((item: Json) => resolve(scope, item));
  const entries = Object.entries(value as JsonObject);
  const [name, argument] = entries[0] ?? ["", null];
  if (entries.length !== 1 || !isIntrinsic(name)) return Object.fromEntries(entries.map(([key, item]) => [key, resolve(scope, item)]));
  const answer = INTRINSICS[name];
  if (answer === undefined) throw new Error(`${scope.where}: the local cloud does not understand ${name}`);
  return answer(scope, argument);
};

const textOf = (scope: Scope, value: Json): string => {
  const resolved = resolve(scope, value);
  if (typeof resolved === "object") throw new Error(`${scope.where}: expected a text, got ${JSON.stringify(value)}`);
  return String(resolved);
};

const listOf = (scope: Scope, value: Json): readonly Json[] => {
  const resolved = resolve(scope, value);
  if (!Array.isArray(resolved)) throw new Error(`${scope.where}: expected a list, got ${JSON.stringify(value)}`);
  return resolved;
};
