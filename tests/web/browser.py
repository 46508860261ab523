"""A real browser for tests: Debian's headless Chromium, driven by its own DevTools protocol.

One `Chromium` runs for all tests of a process. A test has a `Window` in it, which shares nothing with any other
(cookies, cache), and opens a `Tab` for each page. What a page complains of is kept, for the test to look at: a
refused script, a mistake in one, a word on the console.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from tests.patience import AT_ONCE_S
from tests.tools import needs_tool

PROGRAM = "chromium-headless-shell"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)
FAILED_START = 120.0
LOOK_S = 0.05
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "Space": 32}
IN_BETWEEN = ("context was destroyed", "Cannot find context", "Cannot find default execution context", "navigated")


class PageError(AssertionError):
    """A script that the test had the page run failed."""


class Chromium:
    """The process, over a new empty profile. Everything it makes is gone when it is closed."""

    def __init__(self) -> None:
        program = needs_tool(PROGRAM)
        self._profile = Path(tempfile.mkdtemp(prefix="test-chromium-"))
        self._log = (self._profile / "log").open("wb")
        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,  # what it starts is ended with it
        )
        self.address = self._wait()

    def _wait(self) -> str:
        """Where it takes orders; it writes that down when it does."""
        told, deadline = self._profile / "DevToolsActivePort", time.monotonic() + FAILED_START
        while not (told.exists() and len(told.read_text().splitlines()) == 2):
            said = (self._profile / "log").read_text("utf-8", "replace")[-2000:]
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(LOOK_S)
        port, path = told.read_text().splitlines()
        return f"ws://127.0.0.1:{port}{path}"

    def close(self) -> None:
        """End it, and remove what it had."""
        os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(AT_ONCE_S)
        with contextlib.suppress(ProcessLookupError):  # what is left of them
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def window(self) -> AsyncIterator[Window]:
        """One that shares nothing with any other; it is closed behind the block."""
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(self.address, max_msg_size=0, timeout=aiohttp.ClientWSTimeout(ws_close=1)) as socket,
        ):
            window = Window(socket)
            reading = asyncio.create_task(window.read())
            try:
                await window.start()
                yield window
            finally:
                await window.close()
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)


class Window:
    """A browser of its own for one test: its tabs, and what they complained of."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers, self._context = socket, itertools.count(1), ""
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.tabs: dict[str, Tab] = {}

    @property
    def complaints(self) -> list[str]:
        """What all tabs complained of."""
        return [said for tab in self.tabs.values() for said in tab.complaints]

    async def open(self, url: str = "", *, width: int = 1280, height: int = 900, dark: bool = False) -> Tab:
        """A new tab, at `url` when one is given."""
        made = await self.order("Target.createTarget", url="about:blank", browserContextId=self._context)
        attached = await self.order("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        tab = Tab(self, attached["sessionId"])
        self.tabs[attached["sessionId"]] = tab
        for domain in ("Page", "Runtime", "Log", "Network", "Audits"):
            await tab.order(f"{domain}.enable")
        await tab.size(width, height)
        await tab.colours(dark=dark)
        if url:
            await tab.go(url)
        return tab

    async def order(self, method: str, session: str = "", **values: Any) -> dict[str, Any]:
        """One order of the protocol, and what came of it. Raises PageError."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        told = {"id": number, "method": method, "params": values} | ({"sessionId": session} if session else {})
        await self._socket.send_str(msgspec.json.encode(told).decode())
        async with asyncio.timeout(FAILED_START):
            said = await answer
        if "error" in said:
            raise PageError(f"{method}: {said['error']['message']}")
        result: dict[str, Any] = said["result"]
        return result

    async def start(self) -> None:
        """Make the place for its tabs."""
        self._context = (await self.order("Target.createBrowserContext"))["browserContextId"]

    async def close(self) -> None:
        """Close all tabs, and forget their cookies."""
        with contextlib.suppress(ConnectionError, PageError, TimeoutError):
            await self.order("Target.disposeBrowserContext", browserContextId=self._context)

    async def read(self) -> None:
        """Take what the browser says, until cancelled."""
        async for message in self._socket:
            said = msgspec.json.decode(message.data)
            if "id" in said:
                waiting = self._waiting.pop(said["id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)
            elif (tab := self.tabs.get(said.get("sessionId", ""))) is not None:
                tab.told(said["method"], said["params"])


class Tab:
    """One page at a time. `complaints`: see above; `failed`: what it could not load, which a test may want."""

    def __init__(self, window: Window, session: str) -> None:
        self._window, self._session, self._loads = window, session, 0
        self.complaints: list[str] = []
        self.failed: list[str] = []
        self.requests: list[str] = []
        self.status, self.headers = 0, dict[str, str]()

    async def order(self, method: str, **values: Any) -> dict[str, Any]:
        """One order of the protocol."""
        return await self._window.order(method, self._session, **values)

    # --- where it is, and how it looks

    async def go(self, url: str) -> None:
        """Load a page, and wait until it has loaded."""
        async with self.loading():
            said = await self.order("Page.navigate", url=url)
            assert not said.get("errorText"), f"{url}: {said['errorText']}"

    async def reload(self) -> None:
        """The same page again."""
        async with self.loading():
            await self.order("Page.reload")

    @contextlib.asynccontextmanager
    async def loading(self) -> AsyncIterator[None]:
        """Wait behind the block until a page has loaded: what a click on a link or a form's button does."""
        before = self._loads
        yield
        async with asyncio.timeout(2 * AT_ONCE_S):
            while self._loads == before:  # noqa: ASYNC110 - told by `read`, in another task
                await asyncio.sleep(LOOK_S)

    async def size(self, width: int, height: int = 900) -> None:
        """How large it is; 360 wide is a phone."""
        phone = width < 500
        await self.order(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )

    async def colours(self, *, dark: bool) -> None:
        """What its owner likes."""
        wanted = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.order("Emulation.setEmulatedMedia", features=[wanted])

    async def scripts(self, *, on: bool) -> None:
        """Whether pages may run any, from the next one on. What the test itself runs is run anyway."""
        await self.order("Emulation.setScriptExecutionDisabled", value=not on)

    async def offline(self, *, is_so: bool) -> None:
        """Whether its network is away."""
        await self.order(
            "Network.emulateNetworkConditions", offline=is_so, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )

    async def send_with(self, **headers: str) -> None:
        """Headers of every request from now on, such as `Authorization`."""
        await self.order("Network.setExtraHTTPHeaders", headers=headers)

    async def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """A picture of it (PNG): of the whole page, or of what is seen."""
        taken = await self.order("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(taken["data"]))

    # --- what is on it

    async def run(self, script: str) -> Any:
        """The value of a script there; a promise's when it is kept. Raises PageError."""
        said = await self.order("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in said:
            raise PageError(str(said["exceptionDetails"].get("exception", said["exceptionDetails"])))
        return said["result"].get("value")

    async def until(self, script: str, what: str = "") -> Any:
        """Wait until the expression's value is true there; returns it. Pages may come and go in between."""
        script = f"(async (value) => value instanceof Node || value)({script})"  # an element itself cannot be told
        found: Any = None
        try:
            async with asyncio.timeout(2 * AT_ONCE_S):
                while not found:
                    try:
                        found = await self.run(script)
                    except PageError as error:
                        if not any(between in str(error) for between in IN_BETWEEN):
                            raise
                    await asyncio.sleep(0 if found else LOOK_S)
        except TimeoutError:
            page = await self.run("document.location.href + '\\n' + document.body.innerText")
            raise AssertionError(f"never: {what or script}\n{page}") from None
        return found

    async def text(self, selector: str = "body") -> str:
        """What is read in the first such element; '' where there is none."""
        return str(await self.run(f"document.querySelector({_quoted(selector)})?.innerText ?? ''"))

    async def sees(self, words: str, selector: str = "body") -> None:
        """Wait until these words can be read there."""
        await self.until(
            f"document.querySelector({_quoted(selector)})?.innerText.includes({_quoted(words)})", f"{words!r}"
        )

    # --- what its owner does

    async def click(self, selector: str) -> None:
        """Press the mouse in the middle of the first such element."""
        where = await self.until(
            f"""(() => {{
                const element = document.querySelector({_quoted(selector)});
                if (!element) return null;
                element.scrollIntoView({{block: "center", behavior: "instant"}});
                const {{x, y, width, height}} = element.getBoundingClientRect();
                return width && height ? {{x: x + width / 2, y: y + height / 2}} : null;
            }})()""",
            f"{selector} to click",
        )
        for what in ("mousePressed", "mouseReleased"):
            await self.order("Input.dispatchMouseEvent", type=what, button="left", clickCount=1, **where)

    async def follow(self, selector: str) -> None:
        """Click what leads to another page, and wait for that."""
        async with self.loading():
            await self.click(selector)

    async def fill(self, selector: str, text: str) -> None:
        """Write into a field, in place of what is there; choose in a list by the value."""
        is_list = await self.until(
            f"""(() => {{
                const field = document.querySelector({_quoted(selector)});
                if (!field) return "";
                field.focus();
                if (field.matches("select")) {{
                    field.value = {_quoted(text)};
                    field.dispatchEvent(new Event("change", {{bubbles: true}}));
                    return "chosen";
                }}
                field.select();
                return "marked";
            }})()""",
            f"{selector} to fill",
        )
        if is_list == "marked":
            await self.order("Input.insertText", text=text)

    async def choose(self, selector: str, file: Path) -> None:
        """Choose a file in a field for one."""
        document = await self.order("DOM.getDocument")
        found = await self.order("DOM.querySelector", nodeId=document["root"]["nodeId"], selector=selector)
        await self.order("DOM.setFileInputFiles", files=[str(file)], nodeId=found["nodeId"])

    async def press(self, key: str) -> None:
        """A key: one of KEYS."""
        code = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"Enter": "\r", "Space": " "}.get(key)
        await self.order("Input.dispatchKeyEvent", type="keyDown", **code, **({"text": text} if text else {}))
        await self.order("Input.dispatchKeyEvent", type="keyUp", **code)

    # --- what it says

    def told(self, method: str, values: dict[str, Any]) -> None:
        """Something happened in it."""
        match method:
            case "Page.loadEventFired":
                self._loads += 1
            case "Network.requestWillBeSent":
                self.requests.append(values["request"]["url"])
            case "Network.responseReceived" if values["type"] == "Document":
                answer = values["response"]
                self.status = answer["status"]
                self.headers = {name.lower(): value for name, value in answer["headers"].items()}
            case "Runtime.exceptionThrown":
                details = values["exceptionDetails"]
                self.complaints.append(str(details.get("exception", {}).get("description", details["text"])))
            case "Runtime.consoleAPICalled" if values["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(str(one.get("value", "")) for one in values["args"]))
            case "Log.entryAdded":
                entry = values["entry"]
                said = self.failed if entry["source"] == "network" else self.complaints
                said.append(f"{entry['level']}: {entry['text']} {entry.get('url', '')}")
            case "Audits.issueAdded" if values["issue"]["code"] == "ContentSecurityPolicyIssue":
                self.complaints.append(f"policy: {values['issue']['details']}")


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
