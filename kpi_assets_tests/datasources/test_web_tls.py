"""TLS of the datasources over HTTP, with a certificate that nobody signed."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from kpi_assets.errors import QueryError
from kpi_assets_tests.datasources.helpers import ask, make


class Empty(BaseHTTPRequestHandler):
    """A Prometheus that knows nothing."""

    def do_GET(self) -> None:
        body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": []}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server, and the file with its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    make_cert = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=localhost",
    ]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*make_cert, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    http = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{http.server_address[1]}", cert
    http.shutdown()
    thread.join()
    http.server_close()


def test_a_certificate_that_nobody_signed_is_refused_at_once(server: tuple[str, Path]) -> None:
    """No retry, and the argument that helps."""
    source = make("prometheus", host=server[0], retry_for=30)
    with pytest.raises(QueryError, match=r"is not trusted.*`ca_file`"):
        ask(source, "up")
    source.close()


def test_an_own_authority_is_trusted_when_it_is_named(server: tuple[str, Path]) -> None:
    """`ca_file` holds the certificate; `verify: false` looks at none."""
    for args in ({"ca_file": str(server[1])}, {"verify": False}):
        source = make("prometheus", host=server[0], retry_for=0, **args)
        assert len(ask(source, "up")) == 0
        source.close()
