R"sql(
-- reference: the caller's own id of a job, not unique. An index has an entry only where it is given.
ALTER TABLE jobs ADD COLUMN reference TEXT;
CREATE INDEX jobs_by_reference ON jobs(app, reference) WHERE reference IS NOT NULL;
-- What ended otherwise than completed is rare among millions.
CREATE INDEX jobs_by_rare_end ON jobs(app, status) WHERE status > 5;
)sql"
