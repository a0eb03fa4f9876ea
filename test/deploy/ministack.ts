import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { FUNCTION_NAMES } from "../../lib/stage.ts";
import { freePort } from "../../local/engines/free-port.ts";
import { readAssembly } from "../../local/template/assembly.ts";
import { awaitAnswer, stopGroup } from "./processes.ts";
import { type Keys, signedRequest } from "./signed-request.ts";
import { ACCOUNT, CALLERS, deployStage, roleNameOf } from "./stage.ts";

const BINARIES = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
/** Folder of front.py. */
const FRONT = fileURLToPath(new URL(".", import.meta.url));
const START_WAIT_MS = 60_000;
const LOG_BYTES_MAX = 64 * 1_048_576;
/** What the engine takes for the account's root, who may do everything and needs no true signature. */
const ROOT: Keys = { accessKeyId: "test", secretAccessKey: "test" };
/** Managed policies of the template by the caller that they are for. */
const POLICIES: Readonly<Record<string, string>> = {
  marks: "marks-writer",
  feed: "feed-writer",
  operator: "caller",
  auditor: "caller",
  venue: "venue-gateway",
};

/** MiniStack with a stage deployed on it, and every request judged by IAM. */
export interface MiniStack {
  readonly endpoint: string;
  readonly region: string;
  /** Address of the API's default stage. */
  readonly apiUrl: string;
  /** A caller of the API, or the venue's gateway, as a session of its own IAM role. */
  keysOf(caller: string): Keys;
  readonly root: Keys;
  /** What was asked of the engine with its own addresses. */
  inspect(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

/** This process's variables without those that would lead a client to a true account. */
const clean = (): NodeJS.ProcessEnv => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("AWS_")));

const path = `${BINARIES}${delimiter}${process.env["PATH"] ?? ""}`;

const start = async (python: string, directory: string, region: string): Promise<{ engine: ChildProcess; endpoint: string }> => {
  const port = await freePort();
  mkdirSync(directory, { recursive: true });
  const log = openSync(join(directory, "ministack.log"), "w");
  const engine = spawn(python, ["-m", "hypercorn", "--keep-alive", "75", "--bind", `127.0.0.1:${port}`, "front:app"], {
    cwd: directory,
    detached: true,
    stdio: ["ignore", log, log],
    env: {
      ...clean(),
      // Its Lambdas are run by the first Node on the PATH: the project's own, which is the runtime that the template names.
      PATH: path,
      PYTHONPATH: FRONT,
      FRONT_OWNER: `${process.pid}`,
      PYTHONDONTWRITEBYTECODE: "1",
      AUTH: "true",
      BIND_HOST: "127.0.0.1",
      GATEWAY_PORT: `${port}`,
      MINISTACK_HOST: "127.0.0.1",
      MINISTACK_REGION: region,
      MINISTACK_ACCOUNT_ID: ACCOUNT,
      AWS_DEFAULT_REGION: region,
      STATE_DIR: join(directory, "state"),
      LAMBDA_EXECUTOR: "local",
    },
  });
  closeSync(log);
  const endpoint = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${endpoint}/_ministack/health`).then(
      (reply) => reply.ok,
      () => false,
    );
  await awaitAnswer(engine, answers, START_WAIT_MS).catch(async (error: unknown) => {
    await stopGroup(engine);
    throw new Error(`MiniStack did not start, see ${join(directory, "ministack.log")}`, { cause: error });
  });
  return { engine, endpoint };
};

type Ask = (service: string, wish: { path?: string; method?: string; body: string; headers?: Record<string, string> }) => Promise<string>;

const asker =
  (endpoint: string, region: string): Ask =>
  async (service, { path: at = "/", method = "POST", body, headers = {} }) => {
    const { status, text } = await signedRequest({ method, url: `${endpoint}${at}`, body, headers, service, region }, ROOT);
    if (status >= 300) throw new Error(`${service} ${body.slice(0, 200)}: ${status} ${text}`);
    return text;
  };

const query = (ask: Ask, service: string, parameters: Readonly<Record<string, string>>): Promise<string> =>
  ask(service, { body: `${new URLSearchParams(parameters)}`, headers: { "content-type": "application/x-www-form-urlencoded" } });

/** The one thing beside a bootstrapped Region that docs/reference/stages.md asks for before a deployment: a verified sender. */
const verifySender = async (ask: Ask): Promise<void> => {
  const [, EmailIdentity] = deployStage().mailFrom.split("@");
  await ask("ses", {
    path: "/v2/email/identities",
    body: JSON.stringify({ EmailIdentity }),
    headers: { "content-type": "application/json" },
  });
};

interface Deployment {
  readonly assembly: string;
  readonly directory: string;
  readonly region: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** `cdk bootstrap` and `cdk deploy --all`, as an operator gives them. @returns the stacks' outputs. */
const deploy = async ({ assembly, directory, region, environment }: Deployment): Promise<Record<string, string>> => {
  const cdk = (...args: readonly string[]) =>
    promisify(execFile)(join(BINARIES, "cdk"), [...args, "--app", assembly, "--ci", "--no-notices"], {
      cwd: directory,
      env: environment,
      maxBuffer: LOG_BYTES_MAX,
    });
  const outputs = join(directory, "outputs.json");
  await cdk("bootstrap", `aws://${ACCOUNT}/${region}`);
  await cdk("deploy", "--all", "--require-approval", "never", "--progress", "events", "--outputs-file", outputs);
  const byStack = JSON.parse(readFileSync(outputs, "utf8")) as Record<string, Record<string, string>>;
  return Object.assign({}, ...Object.values(byStack));
};

const between = (text: string, tag: string): string => {
  const [, value] = new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text) ?? [];
  if (value === undefined) throw new Error(`no ${tag} in ${text}`);
  return value;
};

const TRUST = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: "sts:AssumeRole" }],
});

/** A role of IAM with the one policy that the template has for such a caller, and a session of it. */
const session = async (ask: Ask, caller: string, policy: string): Promise<Keys> => {
  const RoleName = roleNameOf(caller);
  await query(ask, "iam", { Action: "CreateRole", Version: "2010-05-08", RoleName, AssumeRolePolicyDocument: TRUST });
  await query(ask, "iam", {
    Action: "AttachRolePolicy",
    Version: "2010-05-08",
    RoleName,
    PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/${policy}`,
  });
  const reply = await query(ask, "sts", {
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: `arn:aws:iam::${ACCOUNT}:role/${RoleName}`,
    RoleSessionName: "comparison",
  });
  return {
    accessKeyId: between(reply, "AccessKeyId"),
    secretAccessKey: between(reply, "SecretAccessKey"),
    sessionToken: between(reply, "SessionToken"),
  };
};

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** A batch is allowed by the right to one message of it: SQS and SNS know no other action. The engine asks for the batch's own. */
const BATCHES: Readonly<Record<string, string>> = { "sqs:SendMessage": "sqs:SendMessageBatch", "sns:Publish": "sns:PublishBatch" };
/** Actions whose resource the engine does not find: it takes a schedule for one of the default group, and an email for any resource. */
const BLIND = ["scheduler:CreateSchedule", "scheduler:UpdateSchedule", "ses:SendEmail"];
/** A condition key that the engine cannot judge. */
const UNKNOWN_KEY = "kms:EncryptionContext:";

/** What a statement allows on AWS and, by a gap of the engine, not there; null where the engine knows all of it. */
const gapOf = ({ Effect, Action, Resource, Condition }: Statement): Statement | null => {
  const actions = [Action].flat();
  if (Effect !== "Allow") return null;
  if (JSON.stringify(Condition ?? {}).includes(UNKNOWN_KEY)) return { Effect, Action: actions, Resource };
  const blind = actions.filter((action) => BLIND.includes(action));
  if (blind.length > 0) return { Effect, Action: blind, Resource: "*" };
  const batches = actions.flatMap((action) => BATCHES[action] ?? []);
  return batches.length === 0 ? null : { Effect, Action: batches, Resource, ...(Condition !== undefined && { Condition }) };
};

/**
 * Gives each function's role, beside the template's policy, what that policy means and the engine does not
 * understand. Nothing else is added to the deployment.
 */
const fillGaps = async (ask: Ask): Promise<void> => {
  for (const name of FUNCTION_NAMES) {
    const told = await ask("lambda", { method: "GET", path: `/2015-03-31/functions/plimsoll-local-${name}/configuration`, body: "" });
    const { Role } = JSON.parse(told) as { Role: string };
    const RoleName = Role.slice(Role.lastIndexOf("/") + 1);
    const of = { Version: "2010-05-08", RoleName };
    const policy = between(await query(ask, "iam", { Action: "GetRolePolicy", ...of, PolicyName: "work" }), "PolicyDocument");
    const { Version, Statement } = JSON.parse(decodeURIComponent(policy)) as { Version: string; Statement: Statement[] };
    const gaps = Statement.map(gapOf).filter((gap) => gap !== null);
    const PolicyDocument = JSON.stringify({ Version, Statement: gaps });
    if (gaps.length > 0) await query(ask, "iam", { Action: "PutRolePolicy", ...of, PolicyName: "engine-gaps", PolicyDocument });
  }
};

/**
 * Starts MiniStack on a free loopback port, deploys the assembly on it with the CDK's own command line, and makes
 * the roles of its callers.
 *
 * @throws Error with what the engine or the CDK said; nothing is left running then.
 */
export const startMiniStack = async (python: string, assembly: string, directory: string): Promise<MiniStack> => {
  const stacks = readAssembly(assembly);
  const region = stacks[0]?.region ?? "";
  const { engine, endpoint } = await start(python, directory, region);
  try {
    const ask = asker(endpoint, region);
    await verifySender(ask);
    const credentials = {
      AWS_ACCESS_KEY_ID: ROOT.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ROOT.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: "true",
      CDK_DISABLE_CLI_TELEMETRY: "true",
    };
    const environment = { ...clean(), PATH: path, ...credentials, AWS_REGION: region, AWS_ENDPOINT_URL: endpoint };
    const outputs = await deploy({ assembly, directory, region, environment });
    const apiId = /^\w+:\/\/([^.]+)\./.exec(outputs["ApiUrl"] ?? "")?.[1];
    if (apiId === undefined) throw new Error("the deployment has no output ApiUrl");
    await fillGaps(ask);
    const sessions = new Map<string, Keys>();
    for (const caller of [...CALLERS, "venue"])
      sessions.set(caller, await session(ask, caller, `plimsoll-local-${POLICIES[caller]}-${region}`));
    return {
      endpoint,
      region,
      apiUrl: `${endpoint}/_aws/execute-api/${apiId}/$default`,
      root: ROOT,
      keysOf: (caller) => {
        const keys = sessions.get(caller);
        if (keys === undefined) throw new Error(`no caller ${caller}`);
        return keys;
      },
      inspect: async (at) => (await fetch(`${endpoint}${at}`)).json(),
      stop: () => stopGroup(engine),
    };
  } catch (error) {
    await stopGroup(engine);
    throw error;
  }
};
