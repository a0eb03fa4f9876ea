/** Unit prices in US dollars. `per` is how many units the price is for. */
export interface UnitPrice {
  readonly service: string;
  readonly unit: string;
  readonly usd: number;
  readonly per: number;
}

export interface PriceList {
  readonly region: string;
  /** When a person last compared the list with the pages below. */
  readonly asOf: string;
  readonly sources: readonly string[];
  readonly prices: typeof PRICES;
}

const price = (service: string, unit: string, usd: number, per = 1): UnitPrice => ({ service, unit, usd, per });

const MILLION = 1_000_000;

const PRICES = {
  readUnits: price("DynamoDB", "read request units, on demand", 0.125, MILLION),
  writeUnits: price("DynamoDB", "write request units, on demand", 0.625, MILLION),
  tableGb: price("DynamoDB", "GB-months stored", 0.25),
  backupGb: price("DynamoDB", "GB-months of point-in-time recovery", 0.2),
  invocations: price("Lambda", "requests", 0.2, MILLION),
  gbSeconds: price("Lambda", "GB-seconds, ARM", 0.0000133334),
  queueRequests: price("SQS", "requests, standard", 0.4, MILLION),
  fifoRequests: price("SQS", "requests, FIFO", 0.5, MILLION),
  published: price("SNS", "publishes; deliveries to SQS are free", 0.5, MILLION),
  scheduled: price("Scheduler", "invocations", 1, MILLION),
  emails: price("SES", "emails", 0.1, 1_000),
  keys: price("KMS", "keys", 1),
  keyRequests: price("KMS", "requests", 0.03, 10_000),
  alarms: price("CloudWatch", "alarms, standard", 0.1),
  dashboards: price("CloudWatch", "dashboards", 3),
  metrics: price("CloudWatch", "custom metrics", 0.3),
  logGb: price("CloudWatch", "GB of logs taken in", 0.5),
  apiRequests: price("API Gateway", "requests, HTTP API", 1, MILLION),
  natHours: price("VPC", "NAT gateway hours", 0.045),
  addressHours: price("VPC", "public IPv4 address hours", 0.005),
  outGb: price("Data transfer", "GB to the internet", 0.09),
} as const satisfies Record<string, UnitPrice>;

export type PriceName = keyof typeof PRICES;

/** Public prices without any free tier, discount or tax. Check them before you quote a figure. */
export const PRICE_LIST: PriceList = {
  region: "us-east-1",
  asOf: "2025-11-01",
  sources: [
    "https://aws.amazon.com/dynamodb/pricing/on-demand/",
    "https://aws.amazon.com/lambda/pricing/",
    "https://aws.amazon.com/sqs/pricing/",
    "https://aws.amazon.com/sns/pricing/",
    "https://aws.amazon.com/eventbridge/pricing/",
    "https://aws.amazon.com/ses/pricing/",
    "https://aws.amazon.com/kms/pricing/",
    "https://aws.amazon.com/cloudwatch/pricing/",
    "https://aws.amazon.com/api-gateway/pricing/",
    "https://aws.amazon.com/vpc/pricing/",
    "https://aws.amazon.com/ec2/pricing/on-demand/",
  ],
  prices: PRICES,
};
