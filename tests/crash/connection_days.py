"""Days on which no connection can be made, end to end: connection_days.py SCENARIO.

One push; what is wrong stands in the log, at /v1/breakers and in the metrics as soon as it is known,
and is gone with the first connection."""

import contextlib
import re
import socket
import ssl
import sys
import threading

from scenario import check, kept, publish, register, run_chosen, stage, tokens, wait_for_job, wait_until

from launcher import merged, port_of

SOON = 20  # seconds: far less than until an outage breaker opens, far more than a machine stands still
SHORT = {"connect-timeout": "1s", "request-timeout": "1s", "reconnect-min": "20ms", "reconnect-max": "100ms"}
SETTINGS_FRAME = b"\0\0\0\x04\0\0\0\0\0"
GOAWAY_FRAME = b"\0\0\x08\x07\0\0\0\0\0" + b"\0\0\0\0" + b"\0\0\0\0"  # last stream 0, no error


@contextlib.contextmanager
def listener(serve):
    """A port whose connections are each handed to `serve`, on threads of their own."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        def accept():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = door.accept()
                    threading.Thread(target=run, args=(client,), daemon=True).start()

        def run(client):
            with client, contextlib.suppress(OSError):
                serve(client)

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield door.getsockname()[1]
        finally:
            door.shutdown(socket.SHUT_RDWR)


def until_closed(connection):
    while connection.recv(65536):
        pass


class TlsServer:
    """Serves TLS with the simulator's certificate, once it is there."""

    def __init__(self, say=b"", protocols=("h2",)):
        self.say = say
        self.protocols = protocols
        self.directory = None

    def __call__(self, client):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.directory}/server.pem", f"{self.directory}/server.key")
        if self.protocols:
            context.set_alpn_protocols(list(self.protocols))
        with context.wrap_socket(client, server_side=True) as connection:
            connection.sendall(self.say)
            until_closed(connection)


def to_port(port, host="localhost"):
    return {"apns": merged(SHORT, {"production-host": f'"{host}"', "production-port": port})}


def shown(node, provider):
    items = node.call("GET", "/v1/breakers")[2]["items"]
    return [each for each in items if each["kind"] == "connection" and each["provider"] == provider]


def log_of(node):
    return (node.directory / "node.log").read_text()


def failures_in_metrics(node, provider, fault):
    text = node.call("GET", "/metrics")[2]
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("signalbox_connection_failures_total{")
               and f'provider="{provider}"' in line and f'reason="{fault}"' in line)


def is_told(node, fault, reason, provider="apns"):
    """One push cannot leave: who looks sees why."""
    register(node, tokens(1), "all")
    job = publish(node, "all")
    look_for(node, fault, reason, provider)
    return job


def look_for(node, fault, reason, provider):
    view = wait_until(lambda: shown(node, provider), "it is shown at /v1/breakers", SOON)[0]
    check(re.search(reason, view["reason"]), f"{view['reason']!r} is not {reason!r}")
    check(view["state"] == "open" and view["since"] and "lane" not in view, f"{view}")
    line = wait_until(lambda: re.search(rf"event=no_connection provider={provider} .*fault={fault} .*", log_of(node)),
                      "it is logged", SOON)[0]
    check(re.search(reason, line), f"{line!r} is not about {reason!r}")
    check(failures_in_metrics(node, provider, fault) >= 1, "it is not counted")
    check(log_of(node).count("event=no_connection") <= 2, "it fills the log")


def a_certificate_that_is_not_trusted():
    with stage({"apns": SHORT}) as (other, _):
        wrong = other.directory / "tls" / "ca.pem"
        with stage({"apns": merged(SHORT, {"ca-file": f'"{wrong}"'})}) as (node, _):
            is_told(node, "tls", r"TLS with localhost:\d+: certificate verify failed.*: .*certificate")


def a_proxy_that_refuses():
    def refuse(client):
        client.recv(65536)
        client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with listener(refuse) as port:
        settings = {"apns": merged(SHORT, {"proxy": f'"http://127.0.0.1:{port}"', "production-host": '"push.test"'})}
        with stage(settings) as (node, _):
            is_told(node, "proxy", rf"proxy 127\.0\.0\.1:{port}: HTTP/1\.1 407 Proxy Authentication Required")


def a_name_that_does_not_resolve():
    with stage(to_port(443, "push.invalid")) as (node, _):
        is_told(node, "resolve", r"resolve push\.invalid:443: Host not found")


def nobody_listens_and_then_somebody_does():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with kept(port), stage(to_port(port)) as (node, simulator):
        job = is_told(node, "connect", rf"connect to localhost:{port}: Connection refused")
        with relay(port, port_of(simulator.info["apns"])):
            check(wait_for_job(node, job)["counts"]["accepted"] == 1, "it was not sent")
            check(shown(node, "apns") == [], "it is still shown")
            check("event=connected provider=apns" in log_of(node), "that it works again is not logged")


@contextlib.contextmanager
def relay(port, to):
    def serve(client):
        with socket.create_connection(("127.0.0.1", to)) as server:
            threading.Thread(target=copy, args=(client, server), daemon=True).start()
            copy(server, client)

    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(("127.0.0.1", port))
        door.listen()

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    client, _ = door.accept()
                    threading.Thread(target=serve, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield
        finally:
            door.shutdown(socket.SHUT_RDWR)


def a_server_that_says_nothing():
    with listener(until_closed) as port, stage(to_port(port)) as (node, _):
        is_told(node, "timeout", rf"TLS with localhost:{port}: Connection timed out")


def a_server_that_hangs_up():
    with listener(lambda client: None) as port, stage(to_port(port)) as (node, _):
        is_told(node, "tls", rf"TLS with localhost:{port}: ")


def over_tls(server, fault, reason):
    with listener(server) as port, stage(to_port(port)) as (node, simulator):
        server.directory = simulator.info["tls_dir"]
        is_told(node, fault, reason)


def a_server_without_http2():
    over_tls(TlsServer(protocols=()), "alpn", "does not speak HTTP/2")


def a_server_that_refuses_http2():
    over_tls(TlsServer(protocols=("http/1.1",)), "alpn", "does not speak HTTP/2")


def a_server_without_settings():
    over_tls(TlsServer(), "silence", "no SETTINGS and no answer")


def a_server_that_never_answers():
    over_tls(TlsServer(SETTINGS_FRAME), "silence", "requests are not answered")


def a_server_that_says_goodbye_at_once():
    over_tls(TlsServer(SETTINGS_FRAME + GOAWAY_FRAME), "goaway", "GOAWAY before anything was answered")


def a_server_that_speaks_something_else():
    over_tls(TlsServer(b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 64), "protocol", "HTTP/2 protocol error")


def no_way_to_the_token_endpoint():
    """FCM's other host: the one that grants access tokens."""
    with stage({"fcm": merged(SHORT, {"proxy": '"http://127.0.0.1:1"', "host": '"fcm.test"'})}) as (node, _):
        look_for(node, "connect", r"connect to 127\.0\.0\.1:1: Connection refused", "fcm")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
