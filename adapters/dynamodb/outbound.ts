import { randomBytes } from "node:crypto";

import { toldOf } from "../lambda/told.ts";
import { type Secret, secret } from "../secret.ts";
import { type Contact, contact, type EndpointBody, type EndpointView, endpoint } from "../wire/parties.ts";
import { iso } from "../wire/scalars.ts";
import type { World } from "../world.ts";
import { createDeliveries, type Deliveries } from "./deliveries.ts";
import { checkSchema, type Item, json, SCHEMA, text, UnreadableRow } from "./items.ts";
import { accountPk } from "./keys.ts";
import { isConditionFailed, partition, queryAll } from "./pages.ts";

/** An endpoint with its secret as stored: encrypted under the data key, bound to the endpoint's id. */
export interface Endpoint extends EndpointView {
  readonly sealedSecret: string;
}

/** Contacts, webhook endpoints and deliveries. */
export interface Outbound extends Deliveries {
  /** All personal data of an account; null where there is none. */
  contact(accountId: string): Promise<Contact | null>;
  putContact(contact: Contact): Promise<void>;
  /** Endpoints of a broker, disabled ones included. A row that does not read is counted, and stops no other. */
  endpoints(brokerId: string): Promise<Endpoint[]>;
  /**
   * Makes or changes an endpoint. The secret (`whsec_` and 32 random bytes in base64) is made with
   * the endpoint and is there in this reply only; null for one that existed.
   */
  putEndpoint(
    brokerId: string,
    endpointId: string,
    body: EndpointBody,
  ): Promise<{ readonly endpoint: EndpointView; readonly secret: Secret | null }>;
  /** The endpoint's secret in clear, for signing. */
  secretOf(endpoint: Endpoint): Promise<Secret>;
}

const CONTACT = "CONTACT";
/** Opened secrets that a function keeps in memory. */
const SECRETS_KEPT = 200;
const brokerPk = (brokerId: string): string => `BROKER#${brokerId}`;
const endpointSk = (endpointId: string): string => `ENDPOINT#${endpointId}`;

const decodeEndpoint = (item: Item): Endpoint => {
  checkSchema(item);
  const read = endpoint.safeParse(json(item, "body"));
  if (!read.success) throw new UnreadableRow("no endpoint in body");
  return { ...read.data, sealedSecret: text(item, "secret") };
};

const viewOf = ({ sealedSecret: _, ...view }: Endpoint): EndpointView => view;

const createEndpoints = (world: World): Pick<Outbound, "endpoints" | "putEndpoint" | "secretOf"> => {
  const table = (): string => world.settings.outboundTable;
  /** By what is stored, so that a new secret is opened anew: a key request for each delivery would be the slowest part of it. */
  const opened = new Map<string, Secret>();
  const keyOf = (brokerId: string, endpointId: string) => ({ pk: { S: brokerPk(brokerId) }, sk: { S: endpointSk(endpointId) } });

  const read = async (brokerId: string, endpointId: string): Promise<Endpoint | null> => {
    const got = await world.db.get({ TableName: table(), Key: keyOf(brokerId, endpointId), ConsistentRead: true });
    return got.Item === undefined ? null : decodeEndpoint(got.Item);
  };

  const change = async (known: Endpoint, body: EndpointBody) => {
    const view = endpoint.parse({ ...viewOf(known), ...body });
    await world.db.update({
      TableName: table(),
      Key: keyOf(known.brokerId, known.endpointId),
      UpdateExpression: "SET #body = :body",
      ConditionExpression: "attribute_exists(pk)",
      ExpressionAttributeNames: { "#body": "body" },
      ExpressionAttributeValues: { ":body": { S: JSON.stringify(view) } },
    });
    return { endpoint: view, secret: null };
  };

  const create = async (brokerId: string, endpointId: string, body: EndpointBody) => {
    const view = endpoint.parse({ ...body, brokerId, endpointId, createdAt: iso(world.clock.now()) });
    const plain = `whsec_${randomBytes(32).toString("base64")}`;
    const sealed = await world.kms.encrypt(plain, { endpointId });
    await world.db.put({
      TableName: table(),
      Item: { ...keyOf(brokerId, endpointId), schema: SCHEMA, body: { S: JSON.stringify(view) }, secret: { S: sealed } },
      ConditionExpression: "attribute_not_exists(pk)",
    });
    return { endpoint: view, secret: secret(plain) };
  };

  return {
    endpoints: async (brokerId) => {
      const items = await queryAll(world.db, { ...partition(table(), brokerPk(brokerId), endpointSk("")), ConsistentRead: true });
      return items.flatMap((item) => {
        try {
          return [decodeEndpoint(item)];
        } catch (error) {
          world.log.count("endpoint_unreadable");
          world.log.error("endpoint row does not read", { brokerId, ...toldOf(error) });
          return [];
        }
      });
    },
    putEndpoint: async (brokerId, endpointId, body) => {
      const known = await read(brokerId, endpointId);
      if (known !== null) return change(known, body);
      try {
        return await create(brokerId, endpointId, body);
      } catch (error) {
        const first = isConditionFailed(error) ? await read(brokerId, endpointId) : null;
        if (first === null) throw error;
        return change(first, body);
      }
    },
    secretOf: async (one) => {
      const kept = opened.get(one.sealedSecret);
      if (kept !== undefined) return kept;
      const plain = secret(await world.kms.decrypt(one.sealedSecret, { endpointId: one.endpointId }));
      if (opened.size >= SECRETS_KEPT) opened.clear();
      opened.set(one.sealedSecret, plain);
      return plain;
    },
  };
};

export const createOutbound = (world: World): Outbound => {
  const table = (): string => world.settings.outboundTable;
  return {
    ...createEndpoints(world),
    ...createDeliveries(world),
    contact: async (accountId) => {
      const Key = { pk: { S: accountPk(accountId) }, sk: { S: CONTACT } };
      const got = await world.db.get({ TableName: table(), Key, ConsistentRead: true });
      if (got.Item === undefined) return null;
      checkSchema(got.Item);
      const read = contact.safeParse(json(got.Item, "body"));
      if (!read.success) throw new UnreadableRow("no contact in body");
      return read.data;
    },
    putContact: async (changed) => {
      const key = { pk: { S: accountPk(changed.accountId) }, sk: { S: CONTACT } };
      await world.db.put({ TableName: table(), Item: { ...key, schema: SCHEMA, body: { S: JSON.stringify(contact.parse(changed)) } } });
    },
  };
};
