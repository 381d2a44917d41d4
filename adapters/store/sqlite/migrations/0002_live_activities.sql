R"sql(
-- seq and timestamp (seconds) are of the last dispatch; pending_until: when its start no longer
-- counts as going out; end_job: the end that was accepted.
CREATE TABLE activities(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  scope_kind INTEGER NOT NULL,
  scope_id INTEGER NOT NULL,
  scope_name TEXT NOT NULL,
  channel TEXT NOT NULL,
  channel_environment INTEGER NOT NULL,
  status INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  content_state TEXT NOT NULL,
  start_job INTEGER NOT NULL,
  end_job INTEGER,
  pending_until INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  closed_at INTEGER,
  UNIQUE(app, name)
);
CREATE INDEX activities_active ON activities(app, scope_kind, scope_id, type) WHERE status = 1;
CREATE INDEX activities_by_expiry ON activities(expires_at) WHERE status = 1;
CREATE INDEX activities_closed ON activities(closed_at) WHERE status > 1;

-- A dispatch is a job. `begun`: it has had its turn, and what is older of the activity's updates is
-- superseded; `whole_scope`: it began while the start was still going out.
CREATE TABLE activity_dispatches(
  activity INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  job INTEGER NOT NULL,
  action INTEGER NOT NULL,
  timestamp INTEGER NOT NULL,
  begun INTEGER NOT NULL DEFAULT 0,
  begun_at INTEGER,
  whole_scope INTEGER NOT NULL DEFAULT 0,
  open INTEGER NOT NULL DEFAULT 1,
  content_state TEXT NOT NULL,
  PRIMARY KEY(activity, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX activity_dispatches_by_job ON activity_dispatches(job);
CREATE INDEX activity_dispatches_open ON activity_dispatches(activity, seq) WHERE open = 1;

-- Where the next update goes on: the first token that a superseded one did not get to.
CREATE TABLE activity_turns(
  activity INTEGER NOT NULL,
  pool INTEGER NOT NULL,
  dispatch INTEGER NOT NULL,
  chunk INTEGER NOT NULL,
  token INTEGER NOT NULL,
  PRIMARY KEY(activity, pool)
) WITHOUT ROWID;

CREATE TABLE activity_subscriptions(
  user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  topic INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY(user, topic)
) WITHOUT ROWID;
CREATE UNIQUE INDEX activity_subscriptions_by_topic ON activity_subscriptions(topic, user);

-- By the activity's name: a device may register before the activity is known here.
CREATE TABLE activity_bindings(
  app INTEGER NOT NULL,
  activity TEXT NOT NULL,
  pool INTEGER NOT NULL,
  token INTEGER NOT NULL REFERENCES tokens(id) ON DELETE CASCADE,
  PRIMARY KEY(app, activity, pool, token)
) WITHOUT ROWID;
CREATE INDEX activity_bindings_by_token ON activity_bindings(token);
)sql"
