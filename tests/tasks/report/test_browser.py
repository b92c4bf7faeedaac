"""A report in a real browser, where there is one: at the width of a phone and of a desk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from darknet_py.tasks.pictures import load_picture
from darknet_py.tasks.report import collect, render
from darknet_py.tasks.valid import Evaluation, Mistake
from tests.support.golden import golden_network, load_golden

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

MEASURE = """<!DOCTYPE html><body style="margin:0"><iframe id="frame"
style="border:0;width:%dpx;height:900px" sandbox="allow-same-origin"></iframe><pre id="found"></pre>
<script>
const frame = document.getElementById("frame");
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement, wide = [];
  for (const each of page.querySelectorAll("body *")) {
    const outer = each.closest(".scroll");
    if (each.getBoundingClientRect().right > root.clientWidth + 1 && (!outer || each === outer))
      wide.push(each.tagName + "." + each.className);
  }
  const small = [...page.querySelectorAll("p, td, th, figcaption, h1, h2, h3, h4, a")].filter(
    each => parseFloat(frame.contentWindow.getComputedStyle(each).fontSize) < 12);
  document.getElementById("found").textContent = JSON.stringify({
    mode: page.compatMode, scroll: root.scrollWidth, client: root.clientWidth, wide: wide,
    small: small.length, images: page.images.length,
    broken: [...page.images].filter(each => !each.naturalWidth).length,
    tables: [...page.querySelectorAll(".scroll")].map(each => each.scrollWidth > each.clientWidth),
  });
};
frame.srcdoc = %s;
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    named = os.environ.get("DARKNET_TEST_BROWSER")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip("needs a browser: none of chromium, google-chrome (set DARKNET_TEST_BROWSER)")
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("report")
    net = golden_network(load_golden("forward", "tiny_like"), folder)
    rng = np.random.default_rng(0)
    path = folder / ("a_picture_whose_name_is_longer_than_any_phone_is_wide" * 2 + ".png")
    Image.fromarray(rng.integers(0, 256, (60, 90, 3), np.uint8)).save(path)
    names = tuple(f"a_class_with_a_long_name_{k}" for k in range(10))
    counts = rng.integers(0, 1000, (10, 10))
    mistake = Mistake(path, 3, 5, 0.9, 0.1)
    found = Evaluation(names, counts, 5, 100, 1.0, (mistake,))
    pictures = [load_picture(net, path, "min")]
    return render(collect(net, "net.weights", pictures, names, found))


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_screen(browser: str, page: str, tmp_path: Path, width: int) -> None:
    """Scripts are forbidden within: a page that needed one would show less."""
    found = _measure(browser, page, tmp_path, width)
    assert found["mode"] == "CSS1Compat"
    assert found["client"] == width
    assert found["scroll"] == width, found["wide"]
    assert found["wide"] == []
    assert found["small"] == 0
    assert found["images"] > 20
    assert found["broken"] == 0
    if width == 390:
        assert any(found["tables"])


def _measure(browser: str, page: str, folder: Path, width: int) -> Any:
    file = folder / "measure.html"
    file.write_text(MEASURE % (width, json.dumps(page).replace("</", "<\\/")), encoding="utf-8")
    run = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *("--virtual-time-budget=10000", f"--user-data-dir={folder / 'profile'}"),
            *("--window-size=1400,1000", "--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = re.search(r'<pre id="found">(\{.*?\})</pre>', run.stdout)
    assert found, run.stderr[-2000:]
    return json.loads(found[1].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))
