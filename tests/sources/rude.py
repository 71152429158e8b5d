"""Servers that misbehave in ways that no framework would, on this machine."""

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Answer = Callable[[socket.socket, bytes], None]
"""Is given a connection and the request that came on it; the connection then ends."""

_CERTIFICATE = (
    "MIIBmzCCAUGgAwIBAgIUYVQG8kYoFvmXur4RURQNYPfUWOYwCgYIKoZIzj0EAwIwFDESMBAGA1UEAwwJbG9jYWxo"
    "b3N0MCAXDTI2MTEyOTEzMDUwMloYDzIxMjYxMTA1MTMwNTAyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcq"
    "hkjOPQIBBggqhkjOPQMBBwNCAAQR619T9ObAWGze4SAFF4mJ1BiCImhvX5iKfdekqA7I2Jap+cYJcC2vULfm+n65"
    "Bo9dhhNsj00ITIVv1kEHpjELo28wbTAdBgNVHQ4EFgQU+m+v2IWjpHgDzkQlCpqnWCrKLrIwHwYDVR0jBBgwFoAU"
    "+m+v2IWjpHgDzkQlCpqnWCrKLrIwDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEw"
    "CgYIKoZIzj0EAwIDSAAwRQIgFKk4Fgcp1Te8TndTC/nzJXs5Zm7R8T0t8OaTHC7PNugCIQD5VcWLWTS2SxrkxI6+"
    "htdJy+LhqBA5JNkMP/PluyrEDA=="
)
_KEY = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNxG9CXjZke/d43jVozQ+SOvDlBh7aEGtNkNNMD4D"
    "MKqhRANCAAQR619T9ObAWGze4SAFF4mJ1BiCImhvX5iKfdekqA7I2Jap+cYJcC2vULfm+n65Bo9dhhNsj00ITIVv"
    "1kEHpjEL"
)
"""Of nobody: for localhost, signed by itself."""


@contextmanager
def serving(answer: Answer, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The host and port of a server that answers each connection so."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        with suppress(OSError), connection:
            secured = tls.wrap_socket(connection, server_side=True) if tls else connection
            with secured:
                request = b""
                while b"\r\n\r\n" not in request and (part := secured.recv(65536)):
                    request += part
                answer(secured, request)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server needs to speak TLS with a certificate that nobody knows, and that file."""
    file = folder / "self_signed.pem"
    kind = "PRIVATE KEY"
    body = "\n".join(_KEY[start : start + 64] for start in range(0, len(_KEY), 64))
    file.write_text(
        f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n"
        + ssl.DER_cert_to_PEM_cert(base64.b64decode(_CERTIFICATE))
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, file


def answered(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
