"""report.html in a headless browser: the tooltip names the tensor under the pointer, names from a model are text."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from emberc.quant.widen import Choice
from emberc.report import Report, render_html
from tests.mamba import Config, mamba
from tests.quant.test_scan import quantized

EVIL = "<script>document.title = 'taken'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """Debian's Chromium, without a screen."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert chromium, "the test needs Debian's packages chromium and chromium-driver"
    assert driver, "the test needs Debian's packages chromium and chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1200,1000",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield chrome
    chrome.quit()


def test_the_pointer_shows_the_tensor_and_nothing_fails(browser: webdriver.Chrome, small_build: Path) -> None:
    browser.get((small_build / "report.html").as_uri())
    plan = json.loads((small_build / "memory_plan.json").read_text(encoding="utf-8"))
    tip = browser.find_element(By.ID, "tip")
    assert not tip.is_displayed()
    areas = browser.find_elements(By.CSS_SELECTOR, "#memory-map rect.area")
    assert len(areas) >= len(plan["order"]) / 2
    covered = set(plan["inplace"].values())  # another tensor is drawn over their last step
    names = {area: (area.get_attribute("data-tip") or "").removeprefix("scratch of ").split(":")[0] for area in areas}
    for area in [a for a in areas if names[a] not in covered][:3]:
        ActionChains(browser).move_to_element(area).perform()
        assert tip.is_displayed()
        assert tip.text == area.get_attribute("data-tip")
        name = names[area]
        region = plan["scratch" if tip.text.startswith("scratch of ") else "tensors"][name]
        assert f"{region['size']:,} bytes at {region['offset']:#x}" in tip.text
    assert browser.find_elements(By.CSS_SELECTOR, "#layers tr")[1:]
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_names_from_a_model_are_text_not_markup(browser: webdriver.Chrome, small_build: Path, tmp_path: Path) -> None:
    report = Report.from_json(json.loads((small_build / "report.json").read_text(encoding="utf-8")))
    plan = json.loads((small_build / "memory_plan.json").read_text(encoding="utf-8"))
    layers = [replace(report.layers[0], node=EVIL), *report.layers[1:]]
    choices = [Choice("/b", "f.linear", "weight", "i8", None, 9), Choice(EVIL, "f.gelu", "value", "i16", 27.1, 1234)]
    evil = replace(report, largest=[(EVIL, 9), *report.largest], layers=layers, choices=choices)
    row = {"op": "q.matmul", "node": EVIL, "instructions": 9, "share": 1.0, "kernel": "ember_add_s8", "macs": 3}
    profile = {"on": "cortex-m4", "instructions": 9, "macs": 3, "modelled_cycles": None, "rows": [row]}
    path = tmp_path / "evil.html"
    path.write_text(render_html(evil, plan, [profile]), encoding="utf-8")
    browser.get(path.as_uri())
    assert browser.title == f"{report.model} on {report.target}"
    assert EVIL in browser.find_element(By.ID, "layers").text
    _, first, second = browser.find_elements(By.CSS_SELECTOR, "#choices tr")
    assert first.text == f"{EVIL} f.gelu value i16 27.1 1,234", "those with 16 bits come first"
    assert second.text == "/b f.linear weight i8 - 9"
    flame = browser.find_element(By.CSS_SELECTOR, ".flame")
    assert "9 instructions, 100.0%, ember_add_s8, 3.000 per MAC" in (flame.get_attribute("data-tip") or "")


def test_what_is_inside_a_scan_has_rows_in_page_and_data(small_build: Path) -> None:
    report = Report.from_json(json.loads((small_build / "report.json").read_text(encoding="utf-8")))
    plan = json.loads((small_build / "memory_plan.json").read_text(encoding="utf-8"))
    module = mamba(Config(layers=1))
    quantized(module)
    layers = Report.from_json(replace(report, layers=module.layers).to_json()).layers
    assert layers == module.layers
    page = render_html(replace(report, layers=layers), plan)
    for tensor in ("delta", "decay", "delta * x", "state", "y before gate"):
        assert f"<tr><td>/layers.0 · {tensor}</td><td>f.selective_scan</td>" in page
