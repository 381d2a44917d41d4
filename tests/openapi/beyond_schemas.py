"""Checks of a fuzzer's cases that know what the document says in words, because no schema can."""

import datetime
import re

import schemathesis
from hypothesis import strategies
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

# Details of errors in what fits the schemas. The document says each of them in a description.
REFUSALS = [re.compile(detail) for detail in (
    r"must be in the future(, or \"?0\"?)?",
    r"must be after scheduled_at",
    r"must not be after .*; the setting ingest\.max-schedule bounds it",
    r"there is no lane of this name",
    r"carries (Live Activities, not pushes|pushes, not Live Activities)",
    r"is not a cursor that this list has given",
    r"must have (at most|1 to) \d+ bytes",  # schemas count characters
    r"the APNs payload is \d+ bytes, and the limit is \d+",
    r".* of the FCM message are \d+ bytes, and the limit is \d+",
    r"must be \S+, which is the topic of push type \S+",
    r"must be \S+\.push-type\.liveactivity",
    r"contradicts a ttl of 0, which is one try",
    r"must be whole seconds since 1970, or \"0\"",  # after the year 9999
    r"must be whole seconds, or a number with s, m, h or d, such as 10m, up to 365 days",
    r"must be true when none of job, lane, reason and reference is given",
    r"cannot stand beside job, lane, reason or reference",
)]
# What APNs refuses of a channel.
REFUSED_BY_APNS = re.compile(r".*\(APNs: 400 \w+\)\.")

# RFC 3339 has years before 1970; the document's times have not.
TIMES = strategies.datetimes(min_value=datetime.datetime(1970, 1, 2), max_value=datetime.datetime(9999, 12, 30),
                             timezones=strategies.just(datetime.timezone.utc))
schemathesis.openapi.format("date-time", TIMES.map(lambda time: time.isoformat().replace("+00:00", "Z")))


def is_said_in_words(problem):
    errors = problem.get("errors")
    if errors:
        return all(any(one.fullmatch(error["detail"]) for one in REFUSALS) for error in errors)
    return bool(REFUSED_BY_APNS.fullmatch(problem["detail"]))


def has_null(value):
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(member is None or has_null(member) for member in members)


@schemathesis.check
def what_fits_is_taken(ctx, response, case):
    if response.status_code == 400 and is_said_in_words(response.json()):
        return None
    return positive_data_acceptance(ctx, response, case)


@schemathesis.check
def what_does_not_fit_is_refused(ctx, response, case):
    if has_null(case.body):
        return None  # a member that is null is one that is not given
    if case.operation.path == "/v1/tokens:batch" and response.status_code == 200:
        return None  # entries are refused one by one, with 200
    return negative_data_rejection(ctx, response, case)
