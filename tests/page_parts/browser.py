"""A headless Chromium driven through its debugging pipe: no package, no port, no network."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--remote-debugging-pipe"),
    *("--no-first-run", "--disable-background-networking", "--disable-extensions", "--hide-scrollbars"),
)


class Browser:
    """One tab; what it logged, and what it asked for."""

    def __init__(self, folder: Path, width: int = 1200, height: int = 900):
        (theirs, self._write), (self._read, answers) = os.pipe(), os.pipe()

        def wire():
            high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs, answers)]
            for end, number in zip(high, (3, 4), strict=True):
                os.dup2(end, number, inheritable=True)

        line = [CHROMIUM, *FLAGS, f"--user-data-dir={folder}", f"--window-size={width},{height}", "about:blank"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(line, preexec_fn=wire, close_fds=False, **quiet)  # noqa: PLW1509
        os.close(theirs)
        os.close(answers)
        self._number, self._buffer, self.events = 0, b"", []
        self._session = None
        targets = self.send("Target.getTargets")["targetInfos"]
        tab = next(each["targetId"] for each in targets if each["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        """Ask and wait for the answer; what happens meanwhile is kept in `events`."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _next(self):
        while b"\0" not in self._buffer:
            part = os.read(self._read, 1 << 20)
            assert part, "the browser went away"
            self._buffer += part
        text, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(text)

    def open(self, path: Path):
        """Load a file and wait until the page says that it is ready."""
        self.send("Page.navigate", url=path.absolute().as_uri())
        self.until("document.documentElement?.dataset.ready === 'yes'")

    def until(self, condition: str, seconds: float = 300):
        """Wait for a condition of the page."""
        end = time.monotonic() + seconds
        while not self.value(condition):
            assert time.monotonic() < end, f"never came: {condition}"
            time.sleep(0.1)

    def value(self, expression: str):
        """What an expression of the page is; promises are waited for."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def key(self, name: str):
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=KEYS[name])

    def picture(self, **clip):
        """A PNG of the window, or of a part of the page."""
        parameters = {"clip": clip | {"scale": 1}, "captureBeyondViewport": True} if clip else {}
        return base64.b64decode(self.send("Page.captureScreenshot", format="png", **parameters)["data"])

    def troubles(self):
        """Errors, warnings of the policy, and exceptions that the page gave rise to."""
        found = []
        for event in self.events:
            method, said = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(str(said["exceptionDetails"]))
            if method == "Log.entryAdded" and said["entry"]["level"] == "error":
                found.append(said["entry"]["text"])
            if method == "Runtime.consoleAPICalled" and said["type"] in ("error", "assert"):
                found.append(str(said["args"]))
        return found

    def requests(self):
        """Addresses that were asked for."""
        sent = [event["params"] for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [each["request"]["url"] for each in sent]

    def close(self):
        """End the browser."""
        self._process.terminate()
        self._process.wait(20)
        os.close(self._write)
        os.close(self._read)


KEYS = {"ArrowRight": 39, "ArrowLeft": 37, "Tab": 9, "Enter": 13}
