"""(paint) From the data's arrival until the panel is painted, in Chromium, against the same words as plain paragraphs."""

from __future__ import annotations

import shutil
import statistics
from typing import Any

from playwright.sync_api import sync_playwright

from tests.benchmarks import figures
from tests.benchmarks.ground import Ground
from tests.panel_hosts import DRAWN, Stand, message, serving_hosts

_CHROMIUM = "chromium"
_MESSAGES = 60
_PLAIN = """async () => {
  const list = document.createElement('div'), words = document.querySelector('cd-panel').snapshot.messages.map((one) => one.text.plain);
  const began = performance.now();
  for (const one of words) { const made = document.createElement('p'); made.textContent = one; list.append(made); }
  document.body.append(list);
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const took = performance.now() - began;
  list.remove();
  return took;
}"""


def run(_here: Ground, *, is_quick: bool) -> dict[str, Any]:
    """Milliseconds, of rounds in turns, for a ticket with as many messages as a long conversation has.

    Raises RuntimeError where there is no Chromium.
    """
    if (browser := shutil.which(_CHROMIUM)) is None:
        raise RuntimeError("Debian's package chromium is not installed")
    stand = Stand()
    stand.change(messages=[message(number, f"Message {number}. " * 10) for number in range(1, _MESSAGES + 1)])
    ours, plain = list[float](), list[float]()
    with serving_hosts(stand) as hosts, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page()
        page.goto(f"{hosts}/rt.html")
        page.locator("cd-panel li.message").first.wait_for()
        for _ in range(5 if is_quick else 40):
            ours.append(float(page.evaluate(DRAWN)))
            plain.append(float(page.evaluate(_PLAIN)))
        chromium.close()
    return {
        "panel_ms": {"p50": round(statistics.median(ours), 1), "p99": figures.percentile(ours, 0.99)},
        "plain_ms": {"p50": round(statistics.median(plain), 1), "p99": figures.percentile(plain, 0.99)},
        "ratio": round(statistics.median(ours) / statistics.median(plain), 2),
        "target": "panel_ms < 300",
    }
