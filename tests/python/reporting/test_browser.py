"""The page in a browser: nothing runs, nothing sticks out, no labels overlap, light and dark. Skipped where there is no chromium."""

import json
import os
import re
import shutil
import subprocess
from html import escape, unescape

import pytest

from twotower.reporting import report
from twotower.training.log import History

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=2000",
]  # fmt: skip
# Runs in the page once all is open: what is wider than the window, and which labels of a drawing touch or leave it.
MEASURE = """<pre id="measured"></pre><script>
for (const one of document.querySelectorAll("details")) one.open = true;
const touching = [], outside = [];
for (const svg of document.querySelectorAll("svg[role=img]")) {
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll("text")].map(t => [t.textContent, t.getBoundingClientRect()]);
  boxes.forEach(([name, a], i) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.top < frame.top - 1 || a.bottom > frame.bottom + 1) outside.push(name);
    for (const [other, b] of boxes.slice(i + 1))
      if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) touching.push([name, other]);
  });
}
document.getElementById("measured").textContent = JSON.stringify({
  inner: window.innerWidth, scroll: document.documentElement.scrollWidth, touching, outside,
  texts: document.querySelectorAll("svg[role=img] text").length,
});
</script></body>"""
RESULT = """<pre id="result"></pre><script>
const frame = document.querySelector("iframe");
frame.onload = () => document.getElementById("result").textContent = frame.contentDocument.getElementById("measured").textContent;
</script>"""


@pytest.fixture
def html(collection, runs):
    runs["a-name-without-a-blank-" * 8] = {"q1": {"d1": 123456.0, "d3": -0.00001}, "q2": {"d5": 1e-7}}
    histories = {
        "trained": History([2.0, 1.0, 0.5, 0.4], [0.1, 0.3], [2, 4], 2),
        "much": History([1e6 / n for n in range(1, 5000)]),
    }
    return report(runs, collection, histories=histories, command="twotower report " + "x" * 300).html


def browse(tmp_path, html, *options, width=1400, height=1000):
    page = tmp_path / "page.html"
    page.write_text(html, encoding="utf-8")
    command = [
        CHROMIUM,
        *OPTIONS,
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={width},{height}",
        *options,
        page.as_uri(),
    ]
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_no_script_of_a_text_runs(tmp_path, html):
    title = r"<title>(Search report: .*?)</title>"
    [before] = re.findall(title, html)
    assert re.findall(title, browse(tmp_path, html, "--dump-dom")) == [before]
    # Even unescaped it would not run: the page's policy forbids scripts.
    naked = html.replace("</body>", "<script>document.title = 'taken'</script></body>")
    assert "<title>taken" not in browse(tmp_path, naked, "--dump-dom")
    without = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", naked)
    assert "<title>taken" in browse(tmp_path, without, "--dump-dom")


@pytest.mark.parametrize("width", [375, 768, 1400])
def test_nothing_sticks_out_and_no_labels_overlap(tmp_path, html, width):
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).replace("</body>", MEASURE)
    frame = f'<iframe style="border: 0" width="{width}" height="3000" srcdoc="{escape(page)}"></iframe>{RESULT}'
    dom = browse(
        tmp_path, f"<!DOCTYPE html><body>{frame}</body>", "--dump-dom"
    )  # windows have a least width, frames none
    measured = json.loads(unescape(re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)[1]))
    assert measured["inner"] == width
    assert measured["scroll"] <= width
    assert measured["texts"] > 50
    assert measured["touching"] == []
    assert measured["outside"] == []


@pytest.mark.parametrize(
    ("dark", "paper", "ink"), [(False, (255, 255, 255), (26, 31, 37)), (True, (20, 24, 29), (232, 236, 240))]
)
def test_light_and_dark(tmp_path, html, dark, paper, ink):
    from PIL import Image

    picture = tmp_path / "picture.png"
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    browse(tmp_path, html, f"--screenshot={picture}", *scheme, height=3000)
    with Image.open(picture) as image:
        colours = {colour: count for count, colour in image.convert("RGB").getcolors(1 << 24)}
    assert max(colours, key=colours.get) == paper
    assert colours.get(ink, 0) > 500
    assert len(colours) > 50
