#!/usr/bin/env bash
# httpx 0.28.1, follow_redirects=False (its default): the redirect's request is built all the same,
# so a 302 whose location has a port that is no number raises RemoteProtocolError from get(), and
# neither status nor headers of the answer are to be had.
# Expected: the answer, with status 302. What asks a server again after transport errors asks
# again and again, and tells its user that the connection is bad.
# Seen: RemoteProtocolError Invalid URL in location header: Invalid port: 'port'.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check httpx==0.28.1
seen="$(NO_PROXY=127.0.0.1 venv/bin/python - <<'PYTHON'
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx


class Redirects(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header("location", "http://host:port/")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Redirects)
threading.Thread(target=server.serve_forever, daemon=True).start()
try:
    print(httpx.get(f"http://127.0.0.1:{server.server_port}/").status_code)
except httpx.HTTPError as error:
    print(type(error).__name__, error)
server.shutdown()
PYTHON
)"
echo "$seen"
test "$seen" = "RemoteProtocolError Invalid URL in location header: Invalid port: 'port'."
