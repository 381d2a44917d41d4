"""Sends plain HTTP/2 requests with httpx to Apple's production host, the token signed by PyJWT with a
time that has a fraction, the apns-id in upper case."""

import json
import os
import time
import uuid

import httpx
import jwt

with open(os.environ["APNS_KEY"]) as file:
    token = jwt.encode({"iss": os.environ["APNS_TEAM_ID"], "iat": time.time()}, file.read(),
                       algorithm="ES256", headers={"kid": os.environ["APNS_KEY_ID"]})

seen = {}
with httpx.Client(http2=True) as client:
    for kind in ("good", "rejected", "gone"):
        headers = {"authorization": f"bearer {token}", "apns-topic": os.environ["APNS_TOPIC"],
                   "apns-push-type": "alert", "apns-id": str(uuid.uuid4()).upper()}
        answer = client.post(f"https://api.push.apple.com/3/device/{os.environ[kind.upper()]}",
                             headers=headers, json={"aps": {"alert": "hello"}})
        assert answer.http_version == "HTTP/2" and answer.headers["apns-id"] == headers["apns-id"]
        seen[kind] = "accepted" if answer.status_code == 200 else answer.json()["reason"]
print(json.dumps(seen))
