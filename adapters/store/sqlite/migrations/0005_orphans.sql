R"sql(
-- named_at: of a token without a user or topics, when a job last named it; such a token goes when it has not
-- been named for long. So does one without a user that is invalid.
ALTER TABLE tokens ADD COLUMN named_at INTEGER;
UPDATE tokens SET named_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000
  WHERE user IS NULL AND kind = 0 AND id NOT IN (SELECT token FROM token_subscriptions);
CREATE INDEX tokens_userless ON tokens(ifnull(invalidated_at, named_at))
  WHERE user IS NULL AND kind = 0 AND ifnull(invalidated_at, named_at) IS NOT NULL;

-- Those of deleted topics.
DELETE FROM token_subscriptions WHERE topic NOT IN (SELECT id FROM topics);
CREATE INDEX token_subscriptions_by_topic ON token_subscriptions(topic, token);

-- When a device registered for an activity, which may be before the activity is known here.
ALTER TABLE activity_bindings ADD COLUMN bound_at INTEGER NOT NULL DEFAULT 0;
UPDATE activity_bindings SET bound_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000;
)sql"
