"""Days on which credentials are refused and nobody reloads them, end to end: credential_days.py SCENARIO."""

import pathlib
import sys
import tempfile
import time

from fcm_days import BOTH, register_both
from scenario import HASTY, check, publish, run_chosen, stage, view_of, wait_for_job, wait_until

from launcher import BIN, merged

COUNT = 300  # of each provider
A_MINUTE = 60
HEALED_WITHIN = 2 * A_MINUTE  # a minute, on a machine that does other things too


def a_clock_that_was_three_hours_ahead():
    """Tokens from the future are refused; once the clock is right, both providers go on by themselves."""
    with tempfile.NamedTemporaryFile("w") as clock:
        def ahead(seconds):
            pathlib.Path(clock.name).write_text(str(seconds))

        ahead(3 * 60 * A_MINUTE)
        stepped = ("env", f"LD_PRELOAD={BIN / 'stepped_clock.so'}", f"STEPPED_CLOCK={clock.name}")
        with stage(merged(BOTH, HASTY), prefix=stepped) as (node, simulator):
            register_both(node, count=COUNT)
            job = publish(node, "all")
            wait_until(lambda: simulator.stats()["apns"]["by_reason"].get("InvalidProviderToken", 0) > 0,
                       "APNs refuses tokens from the future")
            wait_until(lambda: {each["provider"] for each in breakers(node)} == {"apns", "fcm"},
                       "both providers' work waits for other credentials")
            check(simulator.stats()["accepted"] == 0, "something was accepted")
            ahead(0)
            view = wait_for_job(node, job, HEALED_WITHIN)
            check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
            wait_until(lambda: not breakers(node), "no breaker stays open", A_MINUTE)


def breakers(node):
    return [each for each in node.call("GET", "/v1/breakers")[2]["items"]
            if each["kind"] == "configuration" and each["state"] == "open"]


def a_token_endpoint_that_refused_for_a_while():
    """400 invalid_grant also comes from an endpoint in trouble: FCM goes on when it has ended."""
    with stage(merged(BOTH, HASTY)) as (node, simulator):
        register_both(node, count=COUNT)
        simulator.faults({"fcm": {"token_generation": 1, "token_status": 400}})
        job = publish(node, "all")
        wait_until(lambda: view_of(node, job)["counts"]["accepted"] == COUNT, "APNs is done")
        wait_until(lambda: breakers(node), "FCM's work waits for credentials")
        simulator.faults({"fcm": {"token_status": 0}})
        view = wait_for_job(node, job, HEALED_WITHIN)
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")


def access_tokens_are_revoked_twice():
    """Two changes of FCM's tokens within seconds: each time another one is fetched, and nothing else happens."""
    with stage(BOTH) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"latency_ms": [500, 1000]}})
        job = publish(node, "all")
        for generation in (1, 2):
            before = simulator.stats()["fcm"]["accepted"]
            wait_until(lambda: simulator.stats()["fcm"]["accepted"] > before + 100, "sending goes on")
            simulator.faults({"fcm": {"token_generation": generation}})
        seen = []
        end = time.monotonic() + HEALED_WITHIN
        while not view_of(node, job)["completed_at"]:
            seen += breakers(node)
            check(time.monotonic() < end, "the job does not end")
            time.sleep(0.05)
        check(not seen, f"{seen[:1]}")
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == view["counts"]["total"], f"{view['counts']}")
        check(simulator.stats()["fcm"]["token_requests"] == 3, "more than three access tokens were fetched")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
