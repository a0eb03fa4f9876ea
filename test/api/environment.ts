/** What functions/operate.ts reads when it is loaded; imported before it. */
Object.assign(process.env, {
  BOOK_TABLE: "book",
  MARKS_TABLE: "marks",
  JOURNAL_TABLE: "journal",
  OUTBOUND_TABLE: "outbound",
  SHARDS: "16",
  MODES: '{"default":"observe"}',
  ROW_SCHEMA: "1",
  DEFAULT_POLICY: "standard",
  MARKS_QUEUE_URL: "http://127.0.0.1:9/marks",
  FEED_QUEUE_URL: "http://127.0.0.1:9/feed.fifo",
  DATA_KEY_ARN: "arn:aws:kms:us-east-1:111122223333:key/1",
  PRINCIPALS: "{}",
  WEBHOOK_LOOPBACK: "never",
  BREACH_SHARE_MAX_PPM: "10000",
});
