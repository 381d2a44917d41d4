"""schemathesis finds no answer of a running node that the API's document does not have."""

import argparse
import json
import sys

from tools import CACHE, DOCUMENT, HERE, main, python_tool, run

from scenario import check, publish, register, stage, tokens, wait_for_job

COUNT = 40

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
parser.add_argument("--examples", type=int, default=100, help="for each operation (default: %(default)s)")


def what_there_is(node):
    """Makes something of every kind, so that not all is 404; its names are for the fuzzer."""
    devices = tokens(COUNT)
    register(node, devices, topic="topic-0", users=True)
    names = {"devices": devices, "lanes": ["push", "live-activity"], "topics": [], "jobs": [], "activities": []}
    names["users"] = [f"user-{number}" for number in range(COUNT)]
    for number, (user, token) in enumerate(zip(names["users"], tokens(COUNT, seed=2))):
        names["topics"].append(f"topic-{number}")
        check(node.call("POST", f"/v1/users/{user}/subscriptions/topic-{number}")[0] <= 201, "a subscription")
        names["jobs"].append(publish(node, f"topic-{number}", receipts="all"))
        start = {"userId": user, "platform": "apns", "tokenType": "start", "token": token}
        check(node.call("POST", "/v1/live-activity/tokens", start)[0] == 201, "a token for starts")
        names["activities"].append(f"activity-{number}")
        status, _, answer = node.call("POST", "/v1/live-activity/jobs", {
            "action": "start", "activityId": f"activity-{number}", "activityType": "match", "userId": user, "payload": {},
            "options": {"alert": {"title": "Kick-off"}, "attributesType": "Match", "attributes": {}}})
        check(status == 202, f"a start: {answer}")
        names["jobs"].append(answer["dispatchId"])
    for job in names["jobs"]:
        wait_for_job(node, job)
    return names


def fuzz():
    options = parser.parse_args()
    tool = python_tool("schemathesis")
    with stage() as (node, _):
        config = CACHE / "schemathesis.toml"
        config.write_text((HERE / "schemathesis.toml").read_text() + "".join(
            f"\n[dictionaries.{kind}]\nvalues = {json.dumps(values)}\n" for kind, values in what_there_is(node).items()))
        run(tool, "--config-file", config, "run", DOCUMENT, "--url", node.url,
            "--seed", options.seed, "--max-examples", options.examples, "--continue-on-failure",
            "--generation-database", "none", "--no-color", cwd=CACHE, PYTHONPATH=str(HERE))


if __name__ == "__main__":
    sys.exit(main(fuzz))
