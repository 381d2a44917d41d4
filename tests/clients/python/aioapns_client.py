"""Sends with aioapns, as its README shows: to Apple's production host."""

import asyncio
import json
import os

from aioapns import APNs, NotificationRequest


async def main():
    with open(os.environ["APNS_KEY"]) as file:
        key = file.read()
    client = APNs(key=key, key_id=os.environ["APNS_KEY_ID"], team_id=os.environ["APNS_TEAM_ID"],
                  topic=os.environ["APNS_TOPIC"], use_sandbox=False)
    seen = {}
    for kind in ("good", "rejected", "gone"):
        request = NotificationRequest(device_token=os.environ[kind.upper()],
                                      message={"aps": {"alert": "hello"}})
        response = await client.send_notification(request)
        seen[kind] = "accepted" if response.is_successful else response.description
    print(json.dumps(seen))


asyncio.run(main())
