R"sql(
-- Each index of jobs costs each job a cursor, three times, also where it gets no entry. So references have
-- a table of their own, and ended jobs one index for those that are being closed and those that are listed.
DROP INDEX jobs_by_reference;
CREATE TABLE job_references(
  app INTEGER NOT NULL,
  reference TEXT NOT NULL,
  job INTEGER NOT NULL,
  PRIMARY KEY(app, reference, job)
) WITHOUT ROWID;
INSERT INTO job_references(app, reference, job)
  SELECT app, reference, n FROM jobs WHERE reference IS NOT NULL;
DROP INDEX jobs_by_rare_end;
DROP INDEX jobs_closing;
CREATE INDEX jobs_ended ON jobs(lane, completed_at IS NULL, status) WHERE status > 5;
)sql"
