import { oneOff, parse, type Target } from "../template/shapes.ts";
import type { Cancel, Time } from "../time/time.ts";
import { type Service, ServiceError } from "./service.ts";

export interface Scheduler {
  readonly service: Service;
  /** One-off schedules that have not fired yet. */
  pending(): number;
}

const SCHEDULE_PATH = /^\/schedules\/([\w.-]{1,64})$/;

/**
 * EventBridge Scheduler: one-off schedules, created, moved and deleted by functions. A schedule
 * is gone once it has fired, as ActionAfterCompletion DELETE has it.
 *
 * @param fire hands the target what the schedule says.
 */
export const createScheduler = (
  time: Time,
  arnOf: (group: string, name: string) => string,
  fire: (target: Target, group: string) => Promise<void>,
): Scheduler => {
  const schedules = new Map<string, Cancel>();

  const set = (name: string, body: unknown): object => {
    const refuse = (error: unknown): never => {
      throw new ServiceError("ValidationException", error instanceof Error ? error.message : String(error));
    };
    const schedule = (() => {
      try {
        return parse(oneOff, name, body);
      } catch (error) {
        return refuse(error);
      }
    })();
    const key = `${schedule.GroupName}/${name}`;
    schedules.get(key)?.();
    const instant = Date.parse(`${schedule.ScheduleExpression.slice(3, -1)}Z`);
    const cancel = time.at(instant, `schedule ${name}`, () => {
      schedules.delete(key);
      return fire(schedule.Target, schedule.GroupName);
    });
    schedules.set(key, cancel);
    return { ScheduleArn: arnOf(schedule.GroupName, name) };
  };

  const service: Service = ({ method, path, query, body }) => {
    const name = SCHEDULE_PATH.exec(path)?.[1];
    if (name === undefined) return null;
    const key = `${String(body["GroupName"] ?? query.get("groupName") ?? "default")}/${name}`;
    const exists = schedules.has(key);
    if (method === "POST" && exists) throw new ServiceError("ConflictException", `Schedule ${name} already exists.`, 409);
    if (method === "POST") return set(name, body);
    if (!exists) throw new ServiceError("ResourceNotFoundException", `Schedule ${name} does not exist.`, 404);
    if (method === "PUT") return set(name, body);
    if (method !== "DELETE") return null;
    schedules.get(key)?.();
    schedules.delete(key);
    return {};
  };

  return { service, pending: () => schedules.size };
};
