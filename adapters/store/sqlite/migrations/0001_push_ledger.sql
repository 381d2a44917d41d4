R"sql(
-- Numbers in these tables are the enumerations of messages/; times are milliseconds since 1970.

CREATE TABLE apps(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
INSERT INTO apps(id, name) VALUES(1, 'default');

CREATE TABLE lanes(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);

-- One row for each start of a node: the owner of leases.
CREATE TABLE boots(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  node TEXT NOT NULL,
  boot BLOB NOT NULL,
  started_at INTEGER NOT NULL
);

CREATE TABLE counters(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;
-- clock: the store's time when retries were last known to be of the past (clock.hpp).
INSERT INTO counters(name, value) VALUES('epoch', 0), ('clock', 0);

-- Ids of users, topics and tokens are never used again: jobs and chunks refer to them.
CREATE TABLE users(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app INTEGER NOT NULL REFERENCES apps(id),
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE(app, name)
);

CREATE TABLE tokens(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app INTEGER NOT NULL REFERENCES apps(id),
  user INTEGER REFERENCES users(id),
  platform INTEGER NOT NULL,
  environment INTEGER NOT NULL,
  token TEXT NOT NULL,
  registered_at INTEGER NOT NULL,
  invalidated_at INTEGER,
  invalid_reason TEXT,
  kind INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER,
  UNIQUE(app, token, platform, kind)
);
CREATE INDEX tokens_by_expiry ON tokens(expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX tokens_by_user ON tokens(user) WHERE user IS NOT NULL;

CREATE TABLE topics(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app INTEGER NOT NULL REFERENCES apps(id),
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE(app, name)
);

CREATE TABLE subscriptions(
  user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  topic INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY(user, topic)
) WITHOUT ROWID;
CREATE UNIQUE INDEX subscriptions_by_topic ON subscriptions(topic, user);

-- Topics that a userless token was registered with.
CREATE TABLE token_subscriptions(
  token INTEGER NOT NULL REFERENCES tokens(id) ON DELETE CASCADE,
  topic INTEGER NOT NULL,
  PRIMARY KEY(token, topic)
) WITHOUT ROWID;

-- The live tokens of every topic, by pool (platform and environment): what a fan-out reads.
CREATE TABLE topic_tokens(
  topic INTEGER NOT NULL,
  pool INTEGER NOT NULL,
  token INTEGER NOT NULL,
  PRIMARY KEY(topic, pool, token)
) WITHOUT ROWID;

-- Deleted topics whose subscriptions and topic_tokens are still being removed.
CREATE TABLE deleted_topics(
  topic INTEGER PRIMARY KEY
);

CREATE TABLE jobs(
  n INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  app INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  status INTEGER NOT NULL,
  plan_done INTEGER NOT NULL,
  planned INTEGER NOT NULL,
  next_seq INTEGER NOT NULL,
  total INTEGER,
  completed_at INTEGER,
  accepted INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  unknown INTEGER NOT NULL DEFAULT 0,
  expired INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  plan_cursor BLOB,
  deadline INTEGER,
  scope_kind INTEGER NOT NULL,
  scope_id INTEGER,
  scope_name TEXT,
  not_before INTEGER,
  expires_at INTEGER,
  ttl INTEGER,
  receipts INTEGER NOT NULL,
  on_unknown INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  replay_of BLOB,
  payload TEXT NOT NULL
);
CREATE INDEX jobs_open ON jobs(lane) WHERE completed_at IS NULL;
CREATE INDEX jobs_scheduled ON jobs(lane, not_before) WHERE status = 1;
CREATE INDEX jobs_to_plan ON jobs(lane) WHERE plan_done = 0 AND status IN (2, 3);
CREATE INDEX jobs_by_deadline ON jobs(lane, deadline) WHERE status = 2 AND deadline IS NOT NULL;
CREATE INDEX jobs_closing ON jobs(lane) WHERE status > 5 AND completed_at IS NULL;
-- Led by blocks of 4,096 jobs, so that a commit group of many users writes to the few pages of the
-- newest block and not to one page for each user; a history is read block by block.
CREATE INDEX jobs_by_scope ON jobs(n >> 12, scope_kind, scope_id) WHERE scope_id IS NOT NULL;

-- Users or inline tokens that a job names, until it is planned.
CREATE TABLE job_scopes(
  job INTEGER PRIMARY KEY,
  list BLOB NOT NULL
);

-- status: 1 ready, 2 leased, 3 done, 4 parked: ready, but a pause covers its job. `sent` has a bit for
-- each target whose request may have left, for jobs that give up on unknown. A job's last row, without
-- targets, counts the retries that ended.
CREATE TABLE chunks(
  job INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  status INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  app INTEGER NOT NULL,
  pool INTEGER NOT NULL,
  targets INTEGER NOT NULL,
  accepted INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  unknown INTEGER NOT NULL DEFAULT 0,
  expired INTEGER NOT NULL DEFAULT 0,
  skipped INTEGER NOT NULL DEFAULT 0,
  owner INTEGER,
  epoch INTEGER,
  lease_expires_at INTEGER,
  expiries INTEGER NOT NULL DEFAULT 0,
  done BLOB,
  sent BLOB,
  ids BLOB,
  PRIMARY KEY(job, seq)
) WITHOUT ROWID;
CREATE INDEX chunks_ready ON chunks(lane, app, pool, job, seq) WHERE status = 1;
CREATE INDEX chunks_leased ON chunks(job, seq) WHERE status = 2;
CREATE INDEX chunks_parked ON chunks(job, pool) WHERE status = 4;

-- Targets of one job and destination that wait for their retry, in packs of those that are due
-- together (retry_pack.hpp has the form of `entries`, `size` is their number). Leases on them are in
-- memory alone, by a number that is never used again: a crash forgets them. `written_at` is of the
-- clock that gave `run_at`, so that the wait is known when the clock is put back. `parked`: a pause
-- covers the job, or it has ended.
CREATE TABLE retries(
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  app INTEGER NOT NULL,
  pool INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  written_at INTEGER NOT NULL,
  parked INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL,
  entries BLOB NOT NULL
);
CREATE INDEX retries_due ON retries(lane, app, pool, run_at) WHERE parked = 0;
CREATE INDEX retries_by_turn ON retries(lane, app, pool, job, run_at) WHERE parked = 0;
CREATE INDEX retries_by_job ON retries(job);
CREATE INDEX retries_parked ON retries(job) WHERE parked = 1;

CREATE TABLE receipts(
  job INTEGER NOT NULL,
  token INTEGER NOT NULL,
  status INTEGER NOT NULL,
  reason TEXT,
  at INTEGER NOT NULL,
  PRIMARY KEY(job, token)
) WITHOUT ROWID;

-- What could not be delivered. A token of 0 stands for a chunk whose target list is damaged.
CREATE TABLE dead_letters(
  id INTEGER PRIMARY KEY,
  job INTEGER NOT NULL,
  token INTEGER NOT NULL,
  app INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  pool INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  reason TEXT NOT NULL,
  last_error TEXT,
  dead_lettered_at INTEGER NOT NULL,
  replayed_by BLOB
);
CREATE INDEX dead_letters_by_job ON dead_letters(job, id);
CREATE INDEX dead_letters_by_app ON dead_letters(app, id);
CREATE INDEX dead_letters_to_replay ON dead_letters(app, id) WHERE replayed_by IS NULL AND token > 0;

-- What is not to be sent for now: what fits all that is not null. A lane, a topic and a user are
-- names, since they need not exist.
CREATE TABLE pauses(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app INTEGER,
  lane TEXT NOT NULL,
  topic TEXT NOT NULL,
  user TEXT NOT NULL,
  job BLOB,
  provider INTEGER,
  environment INTEGER,
  reason TEXT NOT NULL,
  created_at INTEGER NOT NULL
);
)sql"
