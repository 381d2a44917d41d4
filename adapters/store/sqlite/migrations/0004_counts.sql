R"sql(
-- What lists and metrics ask for often is counted as it happens. Counting rows that are there already
-- takes some seconds for ten million.
ALTER TABLE topics ADD COLUMN members INTEGER NOT NULL DEFAULT 0;
UPDATE topics SET members = (SELECT COUNT(*) FROM topic_tokens WHERE topic = topics.id);
CREATE TRIGGER topic_joined AFTER INSERT ON topic_tokens BEGIN
  UPDATE topics SET members = members + 1 WHERE id = new.topic;
END;
CREATE TRIGGER topic_left AFTER DELETE ON topic_tokens BEGIN
  UPDATE topics SET members = members - 1 WHERE id = old.topic;
END;

CREATE TABLE receipt_counts(
  job INTEGER NOT NULL,
  status INTEGER NOT NULL,
  reason TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY(job, status, reason)
) WITHOUT ROWID;
INSERT INTO receipt_counts(job, status, reason, count)
  SELECT job, status, ifnull(reason, ''), 1 FROM receipts WHERE true
  ON CONFLICT(job, status, reason) DO UPDATE SET count = count + 1;
CREATE TRIGGER receipt_written AFTER INSERT ON receipts BEGIN
  INSERT INTO receipt_counts(job, status, reason, count)
    VALUES(new.job, new.status, ifnull(new.reason, ''), 1)
    ON CONFLICT(job, status, reason) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER receipt_changed AFTER UPDATE OF status, reason ON receipts BEGIN
  UPDATE receipt_counts SET count = count - 1
    WHERE job = old.job AND status = old.status AND reason = ifnull(old.reason, '');
  INSERT INTO receipt_counts(job, status, reason, count)
    VALUES(new.job, new.status, ifnull(new.reason, ''), 1)
    ON CONFLICT(job, status, reason) DO UPDATE SET count = count + 1;
END;

INSERT INTO counters(name, value) VALUES('dead_letters', (SELECT COUNT(*) FROM dead_letters));
CREATE TRIGGER letter_written AFTER INSERT ON dead_letters BEGIN
  UPDATE counters SET value = value + 1 WHERE name = 'dead_letters';
END;
CREATE TRIGGER letter_deleted AFTER DELETE ON dead_letters BEGIN
  UPDATE counters SET value = value - 1 WHERE name = 'dead_letters';
END;
)sql"
