"""The page in a real browser: sorting, filtering, the trade-off, colours, sizes."""

import base64
import re

import numpy as np
import pytest

from skfair_runner.report import PageFigure, write_page

NAMES = ("Unmitigated net", "RunnerFairClassifier", "Reweighing", "Thresholds", "Lots")
ROWS = "#comparison-table tbody tr"
SHOWN = f"{ROWS}:not([hidden]) .name"
POINT = '.point[data-number="{}"]'
AXIS = "document.getElementById('axis-{}')"


@pytest.fixture
def opened(browser, page_file):
    browser.open(page_file)
    yield browser
    assert browser.complaints() == []


def _sort(browser, name):
    browser.click(f'th[data-sort="{name}"] button')
    return browser.texts(SHOWN)


def test_everything_is_there_and_nothing_is_loaded(opened):
    assert opened.texts("h1") == ["Five methods compared"]
    assert opened.texts(SHOWN) == list(NAMES)
    assert len(opened.texts(".point")) == 5
    assert opened.texts("#comparison-status") == ["5 of 5 methods shown."]


def test_a_click_on_a_heading_sorts_best_first_and_then_the_other_way(opened):
    assert _sort(opened, "accuracy") == [
        "Unmitigated net",
        "Reweighing",
        "Thresholds",
        "RunnerFairClassifier",
        "Lots",
    ]
    heading = "document.querySelector('th[data-sort=\"accuracy\"]').ariaSort"
    assert opened.run(heading) == "descending"
    assert _sort(opened, "accuracy")[0] == "Lots"
    assert opened.run(heading) == "ascending"
    assert opened.run("document.querySelectorAll('th[aria-sort]').length") == 1


def test_less_is_first_where_less_is_better_and_its_limits_are_told(opened):
    assert _sort(opened, "demographic_parity_difference") == [
        "Lots",
        "Thresholds",
        "RunnerFairClassifier",
        "Reweighing",
        "Unmitigated net",
    ]
    assert opened.texts("#comparison-status") == [
        "5 of 5 methods shown. Sorted by demographic parity difference, lowest first. "
        "Where intervals overlap, the order says nothing. "
        "Methods with constant decisions are low for no good reason."
    ]


def test_what_has_no_number_comes_last_both_ways(opened):
    for _ in range(2):
        assert _sort(opened, "fit_seconds")[-1] == "Thresholds"


def test_headings_are_sorted_by_with_the_keyboard(opened):
    opened.run("document.querySelector('th[data-sort=\"accuracy\"] button').focus()")
    opened.press("Enter")
    assert opened.texts(SHOWN)[0] == "Unmitigated net"
    opened.press(" ")
    assert opened.texts(SHOWN)[0] == "Lots"
    opened.press("Tab", "Enter")
    assert opened.texts(SHOWN)[0] == "Unmitigated net"  # most selected


def test_methods_are_found_by_text(opened):
    opened.click("#filter-text")
    opened.press(*"runner")
    assert opened.texts(SHOWN) == ["RunnerFairClassifier"]
    assert opened.texts("#comparison-status") == ["1 of 5 methods shown."]
    assert opened.texts(".point") == ["2"]
    opened.run("document.getElementById('filter-text').value = ''")
    opened.press("s")
    assert "Thresholds" in opened.texts(SHOWN)


@pytest.mark.parametrize(
    ("kind", "absent"),
    [("groups", "Thresholds"), ("lot", "Lots"), ("constant", "Lots")],
)
def test_methods_are_hidden_by_what_they_need(opened, kind, absent):
    opened.click(f'[data-hide="{kind}"]')
    assert opened.texts(SHOWN) == [name for name in NAMES if name != absent]
    assert len(opened.texts(".point")) == 4
    opened.click(f'[data-hide="{kind}"]')
    assert opened.texts(SHOWN) == list(NAMES)


def test_columns_are_left_out_and_come_back(opened):
    opened.click('[data-columns="difference"]')
    assert opened.texts("th.k-difference") == []
    assert len(opened.texts("th.k-quality")) == 2
    opened.click('[data-columns="difference"]')
    assert len(opened.texts("th.k-difference")) == 1


def test_the_mouse_brings_up_method_figures_and_settings(opened):
    opened.point_at(POINT.format(2))
    (tip,) = opened.texts(".tip")
    assert tip.replace("\N{NO-BREAK SPACE}", " ") == (
        "2. RunnerFairClassifierdemographic parity difference: 0.040 ± 0.010"
        "accuracy: 0.842 ± 0.006"
    )
    (details,) = opened.texts("#details")
    assert "interval 0.020 to 0.060" in details
    assert "alpha=0.1\ntop_k=0.5" in details
    opened.point_at("h1")
    assert opened.texts(".tip") == []
    assert opened.texts("#details") == ["No method is chosen."]


def test_a_click_keeps_a_method_until_another_or_escape(opened):
    opened.click(POINT.format(4))
    opened.point_at("h1")
    assert opened.texts("#details .who") == ["4. Thresholds"]
    assert opened.texts("#details .flag") == ["needs groups"]
    opened.press("Escape")
    assert opened.texts("#details") == ["No method is chosen."]


def test_the_keyboard_walks_through_the_methods(opened):
    # One stop for all of them, the leftmost first.
    assert opened.run("document.querySelectorAll('.point[tabindex=\"0\"]').length") == 1
    opened.run("document.getElementById('axis-y').focus()")
    opened.press("Tab")
    order = ["5. Lots", "4. Thresholds", "2. RunnerFairClassifier"]
    seen = [opened.texts("#details .who")[0]]
    for _ in range(2):
        opened.press("ArrowRight")
        seen += opened.texts("#details .who")
    assert seen == order
    opened.press("ArrowLeft")
    assert opened.texts("#details .who") == [order[1]]
    opened.press("End")
    assert opened.texts("#details .who") == ["1. Unmitigated net"]
    opened.press("ArrowRight")
    assert opened.texts("#details .who") == ["1. Unmitigated net"]
    opened.press("Home")
    assert opened.texts("#details .who") == [order[0]]
    assert opened.run("document.activeElement.getAttribute('aria-selected')") == "true"
    assert len(opened.texts(".ring")) == 1


def test_axes_are_chosen_and_points_move(opened):
    opened.click(POINT.format(1))
    before = opened.run(f"document.querySelector('{POINT.format(1)}').outerHTML")
    opened.run(
        AXIS.format("x") + ".value = 'fit_seconds';"
        "document.getElementById('axis-x').dispatchEvent(new Event('change'))"
    )
    after = opened.run(f"document.querySelector('{POINT.format(1)}').outerHTML")
    assert before != after
    assert opened.texts("#plot .label") == [
        "accuracy (more is better)",
        "time to fit (s)",
    ]
    # One has no time, so it has no place.
    assert len(opened.texts("#plot .point[role]")) == 4
    assert opened.texts("#details dt") == ["time to fit", "accuracy"]
    assert opened.texts("#details dd")[0].split() == ["4.2", "s"]


def test_a_tap_on_a_phone_shows_a_method(browser, page_file):
    browser.open(page_file, width=360, height=740, phone=True)
    browser.tap(POINT.format(3))
    assert browser.texts("#details .who") == ["3. Reweighing"]
    assert browser.complaints() == []


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_the_page_never_scrolls_sideways(browser, make_page, tmp_path, width, script):
    name = "ANameWithoutAnyBreakThatIsMuchTooLongForTheScreenOfAPhone" + 60 * "x"
    path = tmp_path / "wide.html"
    size = (1200).to_bytes(4, "big") + (200).to_bytes(4, "big")
    wide = PageFigure("Wide", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + size, "Wide.")
    parts = {"title": name, "settings": {name: 300 * "y"}, "figures": (wide,)}
    table = make_page().table.rename(index={"Lots": name})
    write_page(make_page(table=table, **parts), path)
    browser.open(path, width=width, phone=width < 768, script=script)
    browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.run("document.documentElement.scrollWidth") == width
    first = "document.querySelector('#comparison-table tbody th')"
    if width < 768:
        table = "document.querySelector('#comparison-table')"
        assert browser.run(f"{table}.parentElement.scrollWidth") > width
        browser.run(f"{table}.parentElement.scrollLeft = 200")
        assert 0 <= browser.run(f"{first}.getBoundingClientRect().left") < 40
        assert browser.run(f"{first}.getBoundingClientRect().right") < 0.6 * width


def test_without_a_script_tables_and_picture_are_there(browser, page_file):
    browser.open(page_file, script=False)
    browser.send("Emulation.setScriptExecutionDisabled", value=False)
    assert browser.texts(f"{ROWS} .name") == list(NAMES)
    assert len(browser.texts("#plot .point")) == 5
    assert browser.texts("form") == []
    assert browser.texts("button") == []


def _contrast(first, second):
    """Ratio of the luminances of two colours, as the web's guidelines define it."""

    def luminance(colour):
        parts = np.array(re.findall(r"[\d.]+", colour)[:3], dtype=float) / 255
        linear = np.where(
            parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4
        )
        return linear @ [0.2126, 0.7152, 0.0722]

    light, dark = sorted([luminance(first), luminance(second)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(browser, page_file, scheme):
    browser.open(page_file, prefers_color_scheme=scheme)
    colours = browser.run(
        """[...document.querySelectorAll(
            "h1, p, a, td, pre, label, dt, .hint, .flag, .spread, .interval")]
        .filter(each => each.checkVisibility())
        .map(each => {
            let behind = each;
            const of = (x) => getComputedStyle(x).backgroundColor;
            while (of(behind) === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
            return [getComputedStyle(each).color, of(behind)];
        })"""
    )
    assert min(_contrast(*pair) for pair in colours) >= 4.5
    background = browser.run("getComputedStyle(document.body).backgroundColor")
    black = _contrast(background, "rgb(0, 0, 0)")
    assert black > 15 if scheme == "light" else black < 1.5
    assert browser.complaints() == []


def test_paper_shows_what_the_screen_hides(opened):
    opened.click('[data-hide="groups"]')
    opened.click('[data-columns="cost"]')
    opened.emulate("print", prefers_color_scheme="dark")
    opened.run("dispatchEvent(new Event('beforeprint'))")
    assert opened.texts(f"{ROWS} .name") == list(NAMES)
    assert len(opened.texts("th.k-cost")) == 1
    assert len(opened.texts("#plot .point[role]")) == 5
    assert opened.texts("form") == []
    assert opened.texts("#settings details pre") == ["alpha=0.1\ntop_k=0.5"]
    white = opened.run("getComputedStyle(document.body).backgroundColor")
    assert white == "rgb(255, 255, 255)"
    opened.run("dispatchEvent(new Event('afterprint'))")
    opened.emulate()
    assert opened.texts("#settings details pre") == []


def test_settings_are_copied_or_selected(opened):
    opened.click("[data-copy]")
    (told,) = opened.texts("#copy-status")
    assert told in {"Copied.", "The text is selected: copy it with the keyboard."}
    if told != "Copied.":
        assert '"random_state": 0' in opened.run("String(getSelection())")


def test_names_do_nothing_but_stand_there(browser, make_page, tmp_path):
    evil = "</script><img src=x onerror=\"document.title='caught'\">"
    path = tmp_path / "evil.html"
    table = make_page().table.rename(index={"RunnerFairClassifier": evil})
    write_page(make_page(table=table, settings={evil: evil}), path)
    browser.open(path)
    browser.click(POINT.format(2))
    assert browser.texts("#details .who") == [f"2. {evil}"]
    assert browser.texts("#details pre") == [evil]
    assert browser.run("document.title") == "Five methods compared"
    assert browser.run("document.querySelectorAll('img').length") == 1
    assert browser.complaints() == []


def test_a_page_that_cannot_be_drawn_is_still_sorted(browser, make_page, tmp_path):
    table = make_page().table
    table["demographic_parity_difference_mean"] = np.nan
    path = tmp_path / "page.html"
    write_page(make_page(table=table), path)
    browser.open(path)
    assert _sort(browser, "accuracy")[0] == "Unmitigated net"
    assert browser.texts("#plot") == [
        "No method has both measures, so there is nothing to draw."
    ]
    assert browser.complaints() == []


def test_it_prints_and_is_photographed(opened):
    pdf = base64.b64decode(opened.send("Page.printToPDF", printBackground=True)["data"])
    assert pdf.startswith(b"%PDF")
    png = base64.b64decode(opened.screenshot())
    assert png.startswith(b"\x89PNG")
    assert len(png) > 50_000
