import { LIMITS } from "../../core/limits.ts";
import { allowances } from "./access.ts";
import { at, type Check, type Declared, type Deployment, each, listed } from "./template.ts";

const LAMBDA = "AWS::Lambda::Function";
const MAPPING = "AWS::Lambda::EventSourceMapping";

/** R12, design §4: a write that uses up its whole time budget still ends before its function is killed. */
const writeEndsBeforeTimeout: Check = (deployment) =>
  each(deployment, LAMBDA, (lambda) => {
    const timeoutMs = Number(at(lambda.properties, "Timeout")) * 1_000;
    return timeoutMs > LIMITS.writeBudgetMs ? null : `is killed after ${timeoutMs} ms, but one write may take ${LIMITS.writeBudgetMs} ms`;
  });

/** Functions that a function's messages reach through one queue. */
const nextOf = (deployment: Deployment, lambda: Declared): readonly Declared[] => {
  const role = deployment.follow(lambda.stack, at(lambda.properties, "Role"));
  const fed = allowances(deployment)
    .filter(({ owner, actions }) => owner === role && actions.includes("sqs:SendMessage"))
    .flatMap(({ owner, resources }) => resources.map((resource) => deployment.follow(owner.stack, resource)));
  return deployment.all(MAPPING).flatMap((mapping) => {
    const source = deployment.follow(mapping.stack, at(mapping.properties, "EventSourceArn"));
    const consumer = deployment.follow(mapping.stack, at(mapping.properties, "FunctionName"));
    return source !== undefined && consumer !== undefined && fed.includes(source) ? [consumer] : [];
  });
};

/** Whether a function's messages can come back to it. */
const feedsItself = (deployment: Deployment, start: Declared): boolean => {
  const seen = new Set<Declared>();
  const waiting = [...nextOf(deployment, start)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === start) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...nextOf(deployment, next));
  }
  return false;
};

/** Design §4: Lambda stops a function that feeds itself after about 16 hops, unless it is told that this is meant. */
const recursionIsMeant: Check = (deployment) =>
  each(deployment, LAMBDA, (lambda) => {
    const allowed = at(lambda.properties, "RecursiveLoop") === "Allow";
    if (feedsItself(deployment, lambda)) return allowed ? null : "feeds itself and would be stopped after about 16 hops";
    return allowed ? "may recurse but does not feed itself" : null;
  });

/** A function that Scheduler wakes is invoked asynchronously: Lambda drops what fails, unless it has a place for it. */
const wokenFunctionHasDestination: Check = (deployment) => {
  const woken = deployment
    .all("AWS::Scheduler::Schedule")
    .map((schedule) => deployment.follow(schedule.stack, at(schedule.properties, "Target", "Arn")));
  const caught = deployment
    .all("AWS::Lambda::EventInvokeConfig")
    .map((terms) => deployment.follow(terms.stack, at(terms.properties, "FunctionName")));
  return each(deployment, LAMBDA, (lambda) =>
    woken.includes(lambda) && !caught.includes(lambda) ? "is woken but has no destination on failure" : null,
  );
};

/** What brings a call to its end: from its deadline to an order. */
const ENDS_CALLS = ["expire-call", "sweep-overdue", "dispatch-orders"];

/** C15, C19: where any function takes executions for itself, those that liquidate do. */
const liquidationIsReserved: Check = (deployment) => {
  const reserves = (lambda: Declared): boolean => typeof at(lambda.properties, "ReservedConcurrentExecutions") === "number";
  const anything = deployment.all(LAMBDA).some(reserves);
  return each(deployment, LAMBDA, (lambda) => {
    const ends = ENDS_CALLS.some((name) => String(at(lambda.properties, "FunctionName")).endsWith(`-${name}`));
    return anything && ends && !reserves(lambda) ? "reserves no executions, while others do" : null;
  });
};

/** C19: a log is kept as long as the stage says, under its key, and never for ever by default. */
const logsAreKept: Check = (deployment) => [
  ...each(deployment, "AWS::Logs::LogGroup", (group) => {
    if (typeof at(group.properties, "RetentionInDays") !== "number") return "is kept for ever";
    return at(group.properties, "KmsKeyId") === undefined ? "is not under the data key" : null;
  }),
  ...each(deployment, LAMBDA, (lambda) =>
    deployment.follow(lambda.stack, at(lambda.properties, "LoggingConfig", "LogGroup")) === undefined
      ? "logs to a group that nobody declared"
      : null,
  ),
];

/** One runtime and one architecture: what is tested is what runs. */
const runtimeIsOurs: Check = (deployment) =>
  each(deployment, LAMBDA, (lambda) => {
    const architecture = listed(at(lambda.properties, "Architectures"))[0];
    return at(lambda.properties, "Runtime") === "nodejs24.x" && architecture === "arm64" ? null : "runs on another runtime or architecture";
  });

export const functionChecks = {
  writeEndsBeforeTimeout,
  recursionIsMeant,
  wokenFunctionHasDestination,
  liquidationIsReserved,
  logsAreKept,
  runtimeIsOurs,
} as const satisfies Record<string, Check>;
