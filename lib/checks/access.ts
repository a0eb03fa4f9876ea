import { at, type Check, type Declared, type Deployment, each, listed } from "./template.ts";

/** What a role or a managed policy says. */
interface Statement {
  readonly owner: Declared;
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
}

/** Every statement that allows something to an identity. */
export const allowances = (deployment: Deployment): readonly Statement[] => {
  const documents = [
    ...deployment
      .all("AWS::IAM::Role")
      .flatMap((owner) => listed(at(owner.properties, "Policies")).map((policy) => ({ owner, document: at(policy, "PolicyDocument") }))),
    ...["AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"].flatMap((type) =>
      deployment.all(type).map((owner) => ({ owner, document: at(owner.properties, "PolicyDocument") })),
    ),
  ];
  return documents.flatMap(({ owner, document }) =>
    listed(at(document, "Statement"))
      .filter((statement) => at(statement, "Effect") === "Allow")
      .map((statement) => ({ owner, actions: listed(at(statement, "Action")).map(String), resources: listed(at(statement, "Resource")) })),
  );
};

/** The only actions that may name a resource with a star, and why. */
const STARRED: Readonly<Record<string, string>> = {
  "dynamodb:ListStreams": "has no resource of its own",
  "scheduler:CreateSchedule": "a schedule is named after its call; the group is named in full",
  "scheduler:UpdateSchedule": "a schedule is named after its call; the group is named in full",
  "ec2:AssignPrivateIpAddresses": "of the interface that Lambda makes",
  "ec2:CreateNetworkInterface": "Lambda makes it in the role's name, before it has a name",
  "ec2:DeleteNetworkInterface": "likewise",
  "ec2:DescribeNetworkInterfaces": "has no resource of its own",
  "ec2:DescribeSubnets": "has no resource of its own",
  "ec2:UnassignPrivateIpAddresses": "of the interface that Lambda makes",
  "execute-api:Invoke": "a route holds the ids of accounts and calls; authorize decides on them",
};

const ofOwner = ({ owner }: Statement, says: string) => ({ stack: owner.stack, id: owner.id, says });

/** C11: a star in a resource only where STARRED says why; never in an action. */
const noWildcard: Check = (deployment) =>
  allowances(deployment).flatMap((statement) => {
    const loose = statement.actions.filter((action) => action.includes("*"));
    if (loose.length > 0) return [ofOwner(statement, `allows ${loose.join(", ")}`)];
    const starred = statement.resources.some((resource) => JSON.stringify(resource).includes("*"));
    const unlisted = statement.actions.filter((action) => STARRED[action] === undefined);
    return starred && unlisted.length > 0 ? [ofOwner(statement, `allows ${unlisted.join(", ")} on a resource with a star`)] : [];
  });

/** C11: a scan reads what a query would not; a batch write and a delete know no condition or no past. */
const NEVER = ["dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"];
const neverAllowed: Check = (deployment) =>
  allowances(deployment).flatMap((statement) =>
    statement.actions.filter((action) => NEVER.includes(action)).map((action) => ofOwner(statement, `allows ${action}`)),
  );

const JOURNAL_ACTIONS = [
  "dynamodb:PutItem",
  "dynamodb:GetItem",
  "dynamodb:Query",
  "dynamodb:DescribeStream",
  "dynamodb:GetRecords",
  "dynamodb:GetShardIterator",
  "dynamodb:ListStreams",
];

const isJournal = (resource: Declared | undefined): boolean =>
  resource?.type === "AWS::DynamoDB::Table" && String(at(resource.properties, "TableName")).endsWith("-journal");

/** I20, C11: the journal is written once and read; its own policy refuses the rest even to an administrator. */
const journalIsAppendOnly: Check = (deployment) => [
  ...allowances(deployment).flatMap((statement) => {
    if (!statement.resources.some((resource) => isJournal(deployment.follow(statement.owner.stack, resource)))) return [];
    const others = statement.actions.filter((action) => !JOURNAL_ACTIONS.includes(action));
    return others.length > 0 ? [ofOwner(statement, `allows ${others.join(", ")} on the journal`)] : [];
  }),
  ...each(deployment, "AWS::DynamoDB::Table", (table) => {
    if (!isJournal(table)) return null;
    const denied = listed(at(table.properties, "ResourcePolicy", "PolicyDocument", "Statement"))
      .filter((statement) => at(statement, "Effect") === "Deny")
      .flatMap((statement) => listed(at(statement, "Action")));
    return denied.includes("dynamodb:UpdateItem") && denied.includes("dynamodb:DeleteItem") ? null : "does not refuse updates and deletes";
  }),
];

/** C11: what one function may do says nothing about another. */
const roleOfOneFunction: Check = (deployment) => {
  const users = new Map<Declared | undefined, number>();
  const roleOf = (lambda: Declared) => deployment.follow(lambda.stack, at(lambda.properties, "Role"));
  for (const lambda of deployment.all("AWS::Lambda::Function")) users.set(roleOf(lambda), (users.get(roleOf(lambda)) ?? 0) + 1);
  return each(deployment, "AWS::Lambda::Function", (lambda) => {
    const role = roleOf(lambda);
    if (role === undefined) return "has no role of this app";
    if (listed(at(role.properties, "ManagedPolicyArns")).length > 0) return "has a role with policies that are not written here";
    return users.get(role) === 1 ? null : "shares its role with another function";
  });
};

/** Only the health check is public; a function has no address of its own. */
const routesAreSigned: Check = (deployment) => [
  ...each(deployment, "AWS::ApiGatewayV2::Route", (route) => {
    const open = at(route.properties, "RouteKey") === "GET /health";
    return open || at(route.properties, "AuthorizationType") === "AWS_IAM" ? null : "admits callers who did not sign";
  }),
  ...each(deployment, "AWS::Lambda::Url", () => "gives a function an address beside the API"),
];

export const accessChecks = { noWildcard, neverAllowed, journalIsAppendOnly, roleOfOneFunction, routesAreSigned } as const satisfies Record<
  string,
  Check
>;
