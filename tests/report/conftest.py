"""A page to test, and a browser that is spoken to through a pipe."""

import json
import os
import select
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from skfair_runner.report import ComparisonPage, PageFigure, PageMeasure, write_page

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and answers on 4.
LAUNCH = (
    "import fcntl, os, sys\n"
    "ends = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]]\n"
    "os.dup2(ends[0], 3), os.dup2(ends[1], 4)\n"
    "os.execv(sys.argv[3], sys.argv[3:])\n"
)
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40">'
    b'<rect width="60" height="40" fill="#0072B2"/></svg>'
)


class Browser:
    """Headless Chromium, and what it was seen to do since the last page."""

    def __init__(self, program, folder):
        to_browser, commands = os.pipe()
        answers, from_browser = os.pipe()
        self._commands, self._answers = commands, answers
        self._log = open(folder / "browser.log", "wb")  # noqa: SIM115
        fds = (to_browser, from_browser)
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, *map(str, fds), program, *FLAGS]
            + [f"--user-data-dir={folder / 'profile'}", "about:blank"],
            pass_fds=fds,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        for fd in fds:
            os.close(fd)
        self._pending, self._number, self._session = b"", 0, None
        self.events = []
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self):
        """Speak to the page that the browser begins with."""
        (target,) = [
            each
            for each in self.send("Target.getTargets")["targetInfos"]
            if each["type"] == "page"
        ]
        self._session = self.send(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method, **params):
        """Result of a command of the DevTools protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _receive(self, seconds=60):
        end = time.monotonic() + seconds
        while b"\0" not in self._pending:
            left = max(0, end - time.monotonic())
            if not select.select([self._answers], [], [], left)[0]:
                raise TimeoutError(f"the browser said nothing for {seconds} s")
            part = os.read(self._answers, 1 << 20)
            if not part:
                raise ConnectionError("the browser has gone")
            self._pending += part
        message, _, self._pending = self._pending.partition(b"\0")
        return json.loads(message)

    def open(self, path, *, width=1280, height=900, phone=False, script=True, **media):
        """Show a file, as on a screen of some size, with media features."""
        self.events = []
        self.send("Emulation.setScriptExecutionDisabled", value=not script)
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=phone)
        self.emulate(**media)
        self.send("Page.navigate", url=path.as_uri())
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._receive())
        if script:
            self.settle()

    def emulate(self, medium="", **features):
        """Pretend a medium, and features such as prefers_color_scheme."""
        features = [
            {"name": name.replace("_", "-"), "value": value}
            for name, value in {"prefers_color_scheme": "light", **features}.items()
        ]
        self.send("Emulation.setEmulatedMedia", media=medium, features=features)

    def settle(self):
        """Wait until what was asked for is laid out and drawn."""
        self.run(
            "new Promise(done => requestAnimationFrame("
            "() => requestAnimationFrame(() => done(0))))"
        )

    def run(self, expression):
        """Value of an expression of JavaScript."""
        answer = self.send(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def texts(self, selector):
        """Text of every visible element that a selector finds."""
        return self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            ".filter(each => each.checkVisibility() && each.getClientRects().length)"
            ".map(each => each.textContent.trim())"
        )

    def _middle(self, selector):
        return self.run(
            f"(() => {{ const each = document.querySelector({json.dumps(selector)});"
            "each.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const box = each.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )

    def point_at(self, selector):
        """Move the mouse onto an element."""
        x, y = self._middle(selector)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.settle()

    def click(self, selector):
        """Click into the middle of an element."""
        x, y = self._middle(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left",
                clickCount=1,
            )
        self.settle()

    def tap(self, selector):
        """Touch the middle of an element."""
        x, y = self._middle(selector)
        self.send(
            "Input.dispatchTouchEvent",
            type="touchStart",
            touchPoints=[{"x": x, "y": y}],
        )
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.settle()

    def press(self, *keys):
        """Press keys, by name, or characters one after the other."""
        codes = {
            "Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "End": 35, "Home": 36,
            "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40,
        }  # fmt: skip
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            common = {
                "key": key,
                "code": key,
                "windowsVirtualKeyCode": codes.get(key, 0),
            }
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
            self.send("Input.dispatchKeyEvent", type="keyUp", **common)
        self.settle()

    def complaints(self):
        """Errors and warnings on the console, and requests that left the file."""
        found = []
        for event in self.events:
            method, params = event.get("method", ""), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(params["exceptionDetails"])
            elif method == "Runtime.consoleAPICalled":
                found.append(params["args"])
            elif method == "Log.entryAdded":
                found.append(params["entry"])
            elif method == "Network.requestWillBeSent":
                url = params["request"]["url"]
                if not url.startswith(("file:", "data:")):
                    found.append(url)
        return found

    def screenshot(self, whole=True):
        """Content of a PNG file."""
        return self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"]

    def close(self):
        """End the browser that this object started."""
        try:
            self._session = None
            self.send("Browser.close")
            self._process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        finally:
            os.close(self._commands)
            os.close(self._answers)
            self._log.close()


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    programs = list(filter(None, map(shutil.which, BROWSERS)))
    if not programs:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    browser, problems = None, []
    for program in programs:
        try:
            browser = Browser(program, tmp_path_factory.mktemp("browser"))
            break
        except OSError as error:  # such as a stub that only says what to install
            problems.append(f"{program}: {error}")
    if browser is None:
        pytest.skip(f"no browser starts: {'; '.join(problems)}")
    yield browser
    browser.close()


MEASURES = (
    PageMeasure("accuracy", "accuracy", "quality", True, "Share of right decisions."),
    PageMeasure("selection_rate", "selection rate", "quality"),
    PageMeasure(
        "demographic_parity_difference",
        "demographic parity difference",
        "difference",
        False,
        "Difference of the selection rates.",
    ),
    PageMeasure("fit_seconds", "time to fit", "cost", None, unit="s", decimals=1),
)
NAMES = ("Unmitigated net", "RunnerFairClassifier", "Reweighing", "Thresholds", "Lots")


def make_table():
    """Five methods: a reference, two plain ones, one with groups, one constant."""
    table = pd.DataFrame(index=pd.Index(NAMES, name="method"))
    table["accuracy_mean"] = [0.861, 0.842, 0.855, 0.848, 0.7]
    table["accuracy_std"] = [0.004, 0.006, 0.005, np.nan, 0.0]
    table["selection_rate_mean"] = [0.24, 0.21, 0.22, 0.23, 0.001]
    table["demographic_parity_difference_mean"] = [0.21, 0.04, 0.15, 0.035, 0.0]
    table["demographic_parity_difference_std"] = [0.01, 0.01, 0.012, 0.009, 0.0]
    table["demographic_parity_difference_low"] = [0.19, 0.02, 0.12, 0.01, 0.0]
    table["demographic_parity_difference_high"] = [0.23, 0.06, 0.18, 0.06, 0.001]
    table["fit_seconds_mean"] = [4.25, 9.04, 10.5, np.nan, 20.0]
    table["needs_groups_at_predict"] = [False, False, False, True, False]
    table["randomised"] = [False, False, False, False, True]
    table["constant_folds"] = [0, 0, 0, 0, 3]
    table["folds"] = [3, 3, 2, 3, 3]
    table["error"] = ["", "", "ValueError: too <few> rows", "", ""]
    return table


def make_neurons(n=20):
    """Neurons of one layer."""
    return pd.DataFrame(
        {
            "layer": "relu1",
            "neuron": np.arange(n),
            "importance": np.linspace(1, 0, n),
            "rank": np.arange(1, n + 1),
            "selected": np.arange(n) < n // 2,
            "discrimination": np.linspace(0.5, 0.1, n),
            "discrimination_after": np.linspace(0.2, 0.1, n),
        }
    )


@pytest.fixture
def make_page():
    """Page with everything that a page can have; keywords replace parts of it."""

    def make(**changes):
        parts = {
            "title": "Five methods compared",
            "table": make_table(),
            "measures": MEASURES,
            "difference": "demographic_parity_difference",
            "utility": "accuracy",
            "data_name": "Generated people",
            "description": "Drawn for the tests.",
            "favourable": "income above 50,000",
            "groups": pd.DataFrame(
                {"n_samples": [300, 700], "share_favourable": [0.1, 0.4]},
                index=["women", "men"],
            ),
            "measured_on": "mean over 3 folds",
            "by_group": pd.DataFrame(
                {"count": [300, 700], "selection_rate": [0.125, np.nan]},
                index=pd.MultiIndex.from_product([["Lots"], ["women", "men"]]),
            ),
            "summary": "First paragraph.\n\nSecond paragraph.",
            "caveats": ("The rows were generated.",),
            "figures": (PageFigure("Blue", SVG, "A blue rectangle.", "Nothing else."),),
            "neurons": {"RunnerFairClassifier": make_neurons()},
            "settings": {"RunnerFairClassifier": "alpha=0.1\ntop_k=0.5"},
            "reproduce": {"versions": {"numpy": "2.4"}, "random_state": 0},
        }
        return ComparisonPage(**{**parts, **changes})

    return make


@pytest.fixture
def page_file(make_page, tmp_path):
    """The page as a file."""
    path = tmp_path / "page.html"
    write_page(make_page(), path)
    return path
