"""The README's first push, a Live Activity and a cancel, by a client that was generated from the document."""

import datetime
import sys
import time
import uuid

from signalbox_client import Client
from signalbox_client.api.jobs import cancel_job, get_job, list_receipts
from signalbox_client.api.live_activities import (dispatch_activity, get_activity, list_dispatches,
                                                  register_activity_token)
from signalbox_client.api.pushes import notify, publish_to_topic, send_to_user
from signalbox_client.api.tokens import register_tokens
from signalbox_client.api.users import list_users
from signalbox_client.models import (AcceptedJob, Activity, ActivityAlert, ActivityAnswer, ActivityOptions,
                                     ActivityOptionsAttributes, ActivityRequest, ActivityRequestAction,
                                     ActivityRequestPayload, ActivityStatus, ActivityTokenType, ApnsFields,
                                     ApnsPayload, BatchToken, DispatchPage, Job, JobStatus, NewActivityToken,
                                     Notification, Problem, Provider, PushData, PushFields, ReceiptPage, Receipts,
                                     ReceiptStatus, RegisteredActivityToken, TokenBatch, TokenBatchResult, TokenFields,
                                     UserPage, ValidPush)


def ended(client: Client, job: uuid.UUID) -> Job:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        view = get_job.sync(job, client=client)
        assert isinstance(view, Job), view
        if view.completed_at is not None:
            return view
        time.sleep(0.05)
    raise AssertionError(f"job {job} does not end")


def first_push(client: Client) -> uuid.UUID:
    tokens = [BatchToken(id="bea", platform=Provider.APNS, token="ccddeeff" * 8, topics=["weather"])]
    registered = register_tokens.sync(client=client, body=TokenBatch(tokens=tokens))
    assert isinstance(registered, TokenBatchResult) and registered.refused == 0, registered
    apns = ApnsFields(payload=ApnsPayload.from_dict({"aps": {"sound": "ping"}}))
    sent = send_to_user.sync("bea", client=client, body=PushFields(title="Hello", body="Bea", apns=apns))
    data = PushData()
    data["edition"] = "evening"
    published = publish_to_topic.sync(
        "weather", client=client, body=PushFields(title="Rain", data=data, receipts=Receipts.ALL))
    assert isinstance(sent, AcceptedJob) and isinstance(published, AcceptedJob), (sent, published)
    for job in (sent.job_id, published.job_id):
        view = ended(client, job)
        assert view.status == JobStatus.COMPLETED and view.counts.accepted == 1, view
    receipts = list_receipts.sync(published.job_id, client=client)
    assert isinstance(receipts, ReceiptPage) and not receipts.has_more, receipts
    assert [receipt.status for receipt in receipts.items] == [ReceiptStatus.ACCEPTED], receipts
    dry = notify.sync(client=client, body=Notification(users=["bea"], title="Hello", dry_run=True))
    assert isinstance(dry, ValidPush) and dry.rendered.apns and "aps" in dry.rendered.apns.payload, dry
    return sent.job_id


def live_activity(client: Client) -> None:
    def register(token: NewActivityToken) -> None:
        answer = register_activity_token.sync(client=client, body=token)
        assert isinstance(answer, RegisteredActivityToken), answer

    def dispatch(body: ActivityRequest) -> None:
        answer = dispatch_activity.sync(client=client, body=body)
        assert isinstance(answer, ActivityAnswer) and answer.dispatch_id, answer
        view = ended(client, answer.dispatch_id)
        assert view.counts.accepted == 1, view

    register(NewActivityToken(user_id="bea", platform=Provider.APNS, token="01234567" * 8,
                              token_type=ActivityTokenType.START))
    dispatch(ActivityRequest(
        action=ActivityRequestAction.START, activity_id="storm-1", activity_type="storm", user_id="bea",
        payload=ActivityRequestPayload.from_dict({"wind": 8}),
        options=ActivityOptions(alert=ActivityAlert(title="A storm"), attributes_type="Storm",
                                attributes=ActivityOptionsAttributes.from_dict({"name": "Ida"}))))
    register(NewActivityToken(user_id="bea", platform=Provider.APNS, token="89abcdef" * 8,
                              token_type=ActivityTokenType.UPDATE, activity_id="storm-1"))
    dispatch(ActivityRequest(action=ActivityRequestAction.UPDATE, activity_id="storm-1",
                             payload=ActivityRequestPayload.from_dict({"wind": 9})))
    dispatch(ActivityRequest(action=ActivityRequestAction.END, activity_id="storm-1"))
    activity = get_activity.sync("storm-1", client=client)
    assert isinstance(activity, Activity) and activity.status == ActivityStatus.CLOSED, activity
    assert activity.payload is not None and activity.payload["wind"] == 9, activity
    page = list_dispatches.sync("storm-1", client=client)
    assert isinstance(page, DispatchPage) and page.next_cursor is None, page
    assert [dispatch.action.value for dispatch in page.items] == ["end", "update", "start"], page


def cancel(client: Client, sent: uuid.UUID) -> None:
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    job = send_to_user.sync("bea", client=client, body=PushFields(badge=1, scheduled_at=later, reference="later"))
    assert isinstance(job, AcceptedJob) and job.status == "scheduled", job
    view = cancel_job.sync(job.job_id, client=client)
    assert isinstance(view, Job) and view.status == JobStatus.CANCELLED and view.reference == "later", view
    late = cancel_job.sync(sent, client=client)
    assert isinstance(late, Problem) and late.status == 409, late


def mistakes(client: Client) -> None:
    """Never called: mypy wants each ignored mistake to be one that it sees."""
    PushFields(titel="Hello")  # type: ignore[call-arg]
    PushFields(title="Hello", badge="1")  # type: ignore[arg-type]
    Notification(title="Hello", tokens=["00"])  # type: ignore[list-item]
    TokenFields(platform="apns", token="00")  # type: ignore[arg-type]
    ActivityRequest(activity_id="storm-1")  # type: ignore[call-arg]
    send_to_user.sync("bea", client=client, body={"titel": "Hello"})  # type: ignore[arg-type]
    users = list_users.sync(client=client)
    assert isinstance(users, UserPage)
    users.items[0].name  # type: ignore[attr-defined]


def main() -> None:
    with Client(base_url=sys.argv[1]) as client:
        sent = first_push(client)
        live_activity(client)
        cancel(client, sent)


if __name__ == "__main__":
    main()
