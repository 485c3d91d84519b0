"""A service as `up` sees one: ready over HTTP on its first port. Writes its settings down; /die ends it.

`STUB_LINGERS` are seconds that it goes on listening after SIGTERM.
"""

import http.server
import json
import os
import signal
import sys
import threading
from pathlib import Path


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/die":
            os._exit(3)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


if __name__ == "__main__":
    name, port = sys.argv[1], int(sys.argv[2])
    Path(os.environ["PAPERBUS_DATA"], f"{name}.settings").write_text(json.dumps(dict(os.environ)))
    if name in os.environ.get("STUB_FAILS", ""):
        sys.exit("PAPERBUS_SOMETHING is wrong: mend it.")
    if lingers := float(os.environ.get("STUB_LINGERS", "0")):
        signal.signal(signal.SIGTERM, lambda *_: threading.Timer(lingers, os._exit, (0,)).start())
    http.server.HTTPServer.allow_reuse_address = True
    http.server.HTTPServer((os.environ["PAPERBUS_LISTEN"], port), Answers).serve_forever()
