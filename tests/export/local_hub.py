"""A hub of models on loopback: as much of its upload interface as huggingface_hub asks for, in memory.

It takes every file within the commit, as the hub takes small ones; its store for large files (Xet) is not here.
"""

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub:
    """What it was sent. repos: name -> whether it is private; files: by repository and path; heard: paths."""

    def __init__(self, token):
        self.token, self.repos, self.files, self.heard, self.nonsense = token, {}, {}, [], False

    def answer(self, path, token, body):
        """(status, JSON or a page) of one request."""
        self.heard.append(path)
        if self.nonsense:
            return 200, "<html>Please log in to the hotel's network</html>"
        if token != f"Bearer {self.token}":
            return 401, {"error": "Invalid username or password."}
        asked = json.loads(body) if body.startswith(b"{") and b"\n" not in body.strip() else {}
        if path == "/api/repos/create":
            name = f"{asked['organization']}/{asked['name']}"
            if name in self.repos:
                return 409, {"error": "You already created this model repo", "url": f"{self.address}/{name}"}
            self.repos[name] = bool(asked.get("private")) or asked.get("visibility") == "private"
            return 200, {"url": f"{self.address}/{name}"}
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        owner, _, rest = path.removeprefix("/api/models/").partition("/")
        name, _, what = rest.partition("/")
        return self._of_repo(f"{owner}/{name}", what, asked, body)

    def _of_repo(self, name, what, asked, body):
        if what.startswith("preupload/"):
            files = [{"path": each["path"], "shouldIgnore": False, "uploadMode": "regular"} for each in asked["files"]]
            return 200, {"files": files}
        if what.startswith("commit/"):
            for line in map(json.loads, body.splitlines()):
                value = line["value"]
                if line["key"] == "file":
                    self.files[name, value["path"]] = base64.b64decode(value["content"])
            made = f"{self.address}/{name}/commit/1"
            return 200, {"success": True, "commitOid": "1" * 40, "commitUrl": made}
        if name not in self.repos:
            return 404, {"error": "Repository not found"}
        return 200, {"id": name, "modelId": name, "private": self.repos[name], "sha": "0" * 40, "siblings": [],
                     "tags": [], "downloads": 0, "likes": 0}  # fmt: skip


@contextmanager
def running(token):
    """A hub that listens on loopback while the block runs; `address` is where."""
    hub = Hub(token)

    class Handler(BaseHTTPRequestHandler):
        def take(self):
            if self.headers.get("Transfer-Encoding") == "chunked":
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = self.path.partition("?")[0]
            status, found = hub.answer(path, self.headers.get("Authorization"), body)
            told = found if isinstance(found, str) else json.dumps(found)
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if isinstance(found, str) else "application/json")
            self.send_header("Content-Length", str(len(told.encode())))
            self.end_headers()
            self.wfile.write(told.encode())

        do_GET = do_POST = take

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
