import { TABLES, type TableName } from "../../adapters/dynamodb/schema.ts";
import { at, type Check, type Declared, each } from "./template.ts";

const TABLE = "AWS::DynamoDB::Table";

const tablePitr: Check = (deployment) =>
  each(deployment, TABLE, (table) =>
    at(table.properties, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled") === true
      ? null
      : "cannot be restored to a point in time",
  );

/** Only a stage that goes without a trace may be deleted without a second thought. */
const tableIsProtected: Check = (deployment) =>
  each(deployment, TABLE, (table) =>
    at(table.properties, "DeletionProtectionEnabled") === true || table.deletionPolicy === "Delete"
      ? null
      : "is kept, but not protected from deletion",
  );

const tableIsEncrypted: Check = (deployment) =>
  each(deployment, TABLE, (table) =>
    at(table.properties, "SSESpecification", "KMSMasterKeyId") === undefined ? "is not under the data key" : null,
  );

const shapeOf = (table: Declared) => {
  const name = String(at(table.properties, "TableName")).split("-").at(-1) ?? "";
  return Object.hasOwn(TABLES, name) ? TABLES[name as TableName] : undefined;
};

/** What expires by itself is what the schema says; calls, orders and the journal never do. */
const tableKeepsItsShape: Check = (deployment) =>
  each(deployment, TABLE, (table) => {
    const shape = shapeOf(table);
    if (shape === undefined) return "is not in the schema";
    if ((at(table.properties, "TimeToLiveSpecification", "AttributeName") ?? null) !== shape.timeToLive)
      return "expires rows otherwise than the schema says";
    return (at(table.properties, "StreamSpecification", "StreamViewType") ?? null) === shape.stream
      ? null
      : "streams otherwise than the schema says";
  });

/** What decides an account, and the record of it: an order or an applied entry that expired would be made again (I17). */
const FOR_EVER = ["book", "journal"];

/** C19: whatever the schema says, nothing of these expires. */
const tableKeepsRows: Check = (deployment) =>
  each(deployment, TABLE, (table) => {
    const isKept = FOR_EVER.some((name) => String(at(table.properties, "TableName")).endsWith(`-${name}`));
    return isKept && at(table.properties, "TimeToLiveSpecification") !== undefined ? "lets rows expire that are kept for ever" : null;
  });

export const tableChecks = { tablePitr, tableIsProtected, tableIsEncrypted, tableKeepsItsShape, tableKeepsRows } as const satisfies Record<
  string,
  Check
>;
