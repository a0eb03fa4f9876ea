import type { World } from "../world.ts";
import { checkSchema, type Item, SCHEMA, textOr, whole } from "./items.ts";
import { isConditionFailed } from "./pages.ts";

/** What is known of the sweeps: one row. */
export interface SweepState {
  /** Snapshot of the newest sweep; null before the first. */
  readonly snapshotId: string | null;
  readonly startedAt: number;
  readonly groups: number;
  /** Groups that reported done. A set: a redelivery counts once. */
  readonly done: ReadonlySet<number>;
  /** Snapshot of the last sweep that reached every account (CURRENT), and when it did. */
  readonly current: { readonly snapshotId: string; readonly at: number } | null;
  /** True when a mark moved past the step since the newest sweep started. */
  readonly wanted: boolean;
  /** What the newest sweep was started by, so that a redelivery resumes it. */
  readonly token: string;
}

const KEY = { pk: { S: "SWEEP" }, sk: { S: "STATE" } } as const;
const NONE: SweepState = { snapshotId: null, startedAt: 0, groups: 0, done: new Set(), current: null, wanted: false, token: "" };

const decodeState = (item: Item): SweepState => {
  checkSchema(item);
  const snapshotId = textOr(item, "snapshotId", "");
  const current = textOr(item, "current", "");
  return {
    snapshotId: snapshotId === "" ? null : snapshotId,
    startedAt: snapshotId === "" ? 0 : whole(item, "startedAt"),
    groups: snapshotId === "" ? 0 : whole(item, "groups"),
    done: new Set((item["done"]?.NS ?? []).map(Number)),
    current: current === "" ? null : { snapshotId: current, at: whole(item, "currentAt") },
    wanted: item["wanted"]?.BOOL === true,
    token: textOr(item, "token", ""),
  };
};

export const createSweepState = (world: World) => {
  const table = (): string => world.settings.marksTable;

  const sweepState = async (): Promise<SweepState> => {
    const got = await world.db.get({ TableName: table(), Key: KEY, ConsistentRead: true });
    return got.Item === undefined ? NONE : decodeState(got.Item);
  };

  const wantSweep = async (): Promise<void> => {
    await world.db.update({
      TableName: table(),
      Key: KEY,
      UpdateExpression: "SET #schema = :one, #wanted = :true",
      ExpressionAttributeNames: { "#schema": "schema", "#wanted": "wanted" },
      ExpressionAttributeValues: { ":one": SCHEMA, ":true": { BOOL: true } },
    });
  };

  /** Makes `next` the newest sweep if `last` still is. @returns false when another worker was first. */
  const claim = async (last: SweepState, next: { snapshotId: string; now: number; groups: number; token: string }): Promise<boolean> => {
    try {
      await world.db.update({
        TableName: table(),
        Key: KEY,
        UpdateExpression:
          "SET #schema = :one, snapshotId = :next, startedAt = :now, #groups = :groups, #token = :token, #wanted = :false REMOVE done",
        ConditionExpression: last.snapshotId === null ? "attribute_not_exists(snapshotId)" : "snapshotId = :last",
        ExpressionAttributeNames: { "#schema": "schema", "#groups": "groups", "#token": "token", "#wanted": "wanted" },
        ExpressionAttributeValues: {
          ":one": SCHEMA,
          ":next": { S: next.snapshotId },
          ":now": { N: `${next.now}` },
          ":groups": { N: `${next.groups}` },
          ":token": { S: next.token },
          ":false": { BOOL: false },
          ...(last.snapshotId !== null && { ":last": { S: last.snapshotId } }),
        },
      });
      return true;
    } catch (error) {
      if (!isConditionFailed(error)) throw error;
      return false;
    }
  };

  const groupDone = async (snapshotId: string, group: number): Promise<{ current: boolean; wanted: boolean }> => {
    const own = { TableName: table(), Key: KEY, ConditionExpression: "snapshotId = :id" };
    try {
      const added = await world.db.update({
        ...own,
        UpdateExpression: "ADD done :group",
        ExpressionAttributeValues: { ":id": { S: snapshotId }, ":group": { NS: [`${group}`] } },
        ReturnValues: "ALL_NEW",
      });
      const state = decodeState(added.Attributes ?? {});
      if (state.done.size < state.groups) return { current: false, wanted: state.wanted };
      const full = await world.db.update({
        ...own,
        UpdateExpression: "SET #current = :id, currentAt = :now",
        ExpressionAttributeNames: { "#current": "current" },
        ExpressionAttributeValues: { ":id": { S: snapshotId }, ":now": { N: `${world.clock.now()}` } },
        ReturnValues: "ALL_NEW",
      });
      return { current: true, wanted: decodeState(full.Attributes ?? {}).wanted };
    } catch (error) {
      if (isConditionFailed(error)) return { current: false, wanted: false };
      throw error;
    }
  };

  return { sweepState, wantSweep, claim, groupDone };
};
