R"sql(
-- Where the token belongs, which may be deleted before its receipt (NULL in rows of before), and the
-- provider's own id of the request, where it gives one.
ALTER TABLE receipts ADD COLUMN pool INTEGER;
ALTER TABLE receipts ADD COLUMN unique_id TEXT;
)sql"
