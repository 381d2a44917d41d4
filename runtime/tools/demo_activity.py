"""The demo's Live Activity: phones follow a match that starts, is updated in quick succession and
ends, while a push to everyone is going out."""

import random
import time
import urllib.parse

from launcher import LaunchError, request

ACTIVITY, TYPE, TOPIC = "match-1", "match", "match"
PAUSE_S = 0.02  # between updates: less than one takes to reach all phones
OUTCOMES = ("accepted", "rejected", "unknown", "expired", "skipped")
FCM_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def apns_token(numbers):
    return f"{numbers.getrandbits(256):064x}"


def fcm_token(numbers):
    """As long as FCM makes them."""
    letters = "".join(numbers.choices(FCM_ALPHABET, k=156))
    return f"{letters[:22]}:APA91b{letters[22:]}"


class Phone:
    """A phone of one of the two platforms, and the tokens that its app registers."""

    def __init__(self, number, platform, numbers):
        self.user = f"fan-{number}"
        self.platform = platform
        if platform == "apns":
            self.start_token, self.update_token = apns_token(numbers), apns_token(numbers)
        else:
            self.start_token, self.update_token = None, fcm_token(numbers)

    def register(self, node, kind, token, **more):
        status, _, body = node.call("POST", "/v1/live-activity/tokens", {
            "userId": self.user, "platform": self.platform, "tokenType": kind, "token": token, **more})
        if status not in (200, 201):
            raise LaunchError(f"a Live Activity token was refused: {status} {body}")

    def install(self, node):
        """The app runs for the first time: it can be started activities on."""
        if self.platform == "apns":
            self.register(node, "start", self.start_token, topicId=TOPIC)
        else:
            self.register(node, "update", self.update_token, topicId=TOPIC)

    def started(self, node):
        """iOS has shown the activity and made a token for its updates; Android keeps its one."""
        if self.platform == "apns":
            self.register(node, "update", self.update_token, topicId=TOPIC, activityId=ACTIVITY)

    def last(self, simulator):
        """(event, seq) of what the phone got last; None without anything."""
        query = urllib.parse.quote(self.update_token, safe="")
        status, _, device = request("GET", f"{simulator.info['admin']}/stats/devices?token={query}")
        if status != 200 or not device["last"]:
            return None
        body = device["last"]["body"]
        if self.platform == "apns":
            return body["aps"]["event"], body["aps"]["content-state"]["seq"]
        data = body["message"]["data"]
        return data["action"], int(data["seq"])


def phones_of(count, seed):
    """Four iPhones to each Android phone."""
    numbers = random.Random(seed)
    return [Phone(number, "fcm" if number % 5 == 4 else "apns", numbers) for number in range(count)]


def dispatch(node, action, seq, **more):
    """Posts an event of the activity and returns its dispatch id."""
    event = {"action": action, "activityId": ACTIVITY,
             "payload": {"seq": seq, "home": seq // 7, "away": seq // 11, "minute": min(90, seq * 4)}, **more}
    status, _, body = node.call("POST", "/v1/live-activity/jobs", event)
    if status != 202:
        raise LaunchError(f"the {action} was refused: {status} {body}")
    return body["dispatchId"]


def finished_view(node, job, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status, _, view = node.call("GET", f"/v1/notifications/{job}")
        if status != 200:
            raise LaunchError(f"the dispatch {job} cannot be read: {status} {view}")
        if view["completed_at"]:
            return view
        time.sleep(0.02)
    raise LaunchError(f"the dispatch {job} did not end within {seconds} s")


def play(node, phones, updates):
    """Starts, updates and ends the activity. Returns [(action, seq, view of the dispatch)]."""
    for phone in phones:
        phone.install(node)
    begin = time.monotonic()
    start = dispatch(node, "start", 0, activityType=TYPE, topicId=TOPIC, options={
        "alert": {"title": "Kick-off", "body": "The match has begun"},
        "attributesType": "MatchAttributes", "attributes": {"home": "Lions", "away": "Bears"}})
    views = [("start", 0, finished_view(node, start))]
    print(f"started on {views[0][2]['counts']['accepted']} phones in {time.monotonic() - begin:.2f} s")
    for phone in phones:
        phone.started(node)

    begin = time.monotonic()
    events = []
    for seq in range(1, updates + 1):
        events.append(("update", seq, dispatch(node, "update", seq)))
        time.sleep(PAUSE_S)
    events.append(("end", updates + 1, dispatch(node, "end", updates + 1)))
    posted = time.monotonic()
    print(f"{updates} updates and the end taken in within {posted - begin:.2f} s")
    views += [(action, seq, finished_view(node, job)) for action, seq, job in events]
    print(f"the end was with every phone {time.monotonic() - posted:.2f} s after that")
    return views


def print_dispatches(views, phones):
    print(f"\nThe Live Activity {ACTIVITY}")
    print(f"  {'':<21} {'total':>6} {'accepted':>9} {'skipped':>8} {'other':>6}")
    for action, seq, view in views:
        counts = view["counts"]
        other = sum(counts[name] for name in ("rejected", "unknown", "expired"))
        name = f"update {seq}" if action == "update" else action
        print(f"  {name:<9} {view['status']:<11} {counts['total']:>6} {counts['accepted']:>9} "
              f"{counts['skipped']:>8} {other:>6}")
    updates = [view for action, _, view in views if action == "update"]
    superseded = sum(view["status"] == "SUPERSEDED" for view in updates)
    accepted = sum(view["counts"]["accepted"] for view in updates)
    print(f"  {superseded} of {len(updates)} updates were superseded: where a newer one came first, the "
          f"older was not sent.\n  {accepted} of {len(updates) * len(phones)} requests were needed.")


def check(views, phones, simulator):
    """Whether all accounts close, every phone got the end last, and nothing came after a newer one."""
    open_accounts = [seq for _, seq, view in views
                     if sum(view["counts"][name] for name in OUTCOMES) != view["counts"]["total"]]
    end = ("end", views[-1][1])
    ended = {platform: [phone.last(simulator) == end for phone in phones if phone.platform == platform]
             for platform in ("apns", "fcm")}
    for platform, name in (("apns", "iPhones"), ("fcm", "Android phones")):
        print(f"  {sum(ended[platform])} of {len(ended[platform])} {name} got the end last.")
    late = simulator.stats()["out_of_order"]
    print(f"  {late} requests came after a newer one.")
    if open_accounts:
        print(f"  the accounts of the dispatches with these numbers do not close: {open_accounts}")
    reached = views[0][2]["counts"]["accepted"] == views[-1][2]["counts"]["accepted"] == len(phones)
    return not open_accounts and reached and late == 0 and all(map(all, ended.values()))
