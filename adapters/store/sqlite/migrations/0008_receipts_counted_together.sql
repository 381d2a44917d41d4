R"sql(
-- New receipts are counted by who writes them, once for all of a work: receipts.hpp.
DROP TRIGGER receipt_written;
)sql"
