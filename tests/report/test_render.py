"""The page as text: what it holds, that it is well-formed, and that nothing escapes."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from skfair_runner.report import PageFigure, render_page, write_page

VOID = {"meta", "link", "img", "input", "br", "wbr", "hr", "rect", "line", "path"}
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"' & \u2028"


class Reader(HTMLParser):
    """Elements with their attributes and text, and complaints about nesting."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.complaints, self._open = [], [], []
        self.feed(html)
        self.close()
        self.complaints += [f"<{e['tag']}> is not closed" for e in self._open]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.complaints.append(f"<{tag}> has an attribute twice: {names}")
        element = {"tag": tag, "text": "", **dict(attrs)}
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})

    def handle_endtag(self, tag):
        if not self._open or self._open[-1]["tag"] != tag:
            self.complaints.append(f"</{tag}> at {self.getpos()} closes nothing")
        else:
            self._open.pop()

    def handle_data(self, data):
        for element in self._open:
            element["text"] += data

    def all(self, tag, **attributes):
        return [
            e
            for e in self.elements
            if e["tag"] == tag and all(e.get(k) == v for k, v in attributes.items())
        ]

    def texts(self, tag, **attributes):
        return [" ".join(e["text"].split()) for e in self.all(tag, **attributes)]


def _rows(reader):
    """Data of the script."""
    (element,) = reader.all("script", id="page-data")
    return json.loads(element["text"])


def test_a_whole_page_is_well_formed(make_page):
    reader = Reader(render_page(make_page()))
    assert reader.complaints == []
    ids = [e["id"] for e in reader.elements if "id" in e]
    assert len(set(ids)) == len(ids)
    named = {"aria-labelledby", "for", "data-copy"}
    for element in reader.elements:
        for key in named & element.keys():
            assert element[key] in ids, element
        if element.get("href", "").startswith("#"):
            assert element["href"][1:] in ids, element


def test_whoever_cannot_see_it_gets_around(make_page):
    reader = Reader(render_page(make_page()))
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert len(reader.all(landmark)) == 1
    assert reader.all("html")[0]["lang"] == "en"
    scopes = {e.get("scope") for e in reader.all("th")}
    assert scopes == {"col", "row", "rowgroup"}
    assert len(reader.all("caption")) == len(reader.all("table"))
    assert all(e["alt"] for e in reader.all("img"))
    assert all("aria-labelledby" in e for e in reader.all("section"))
    levels = [int(e["tag"][1]) for e in reader.elements if re.match(r"h\d$", e["tag"])]
    assert all(step <= 1 for step in np.diff(levels))
    regions = [e for e in reader.all("div") if e.get("class") == "scroll"]
    assert all(e["tabindex"] == "0" and e["role"] == "region" for e in regions)
    boxes = reader.all("input") + reader.all("select")
    in_label = re.findall(r"<label><input[^>]*>", render_page(make_page()))
    labelled = {e["for"] for e in reader.all("label") if "for" in e}
    assert len([e for e in boxes if e.get("id") in labelled]) + len(in_label) == len(
        boxes
    )


def test_every_part_is_shown(make_page):
    page = make_page()
    reader = Reader(render_page(page))
    assert reader.texts("h1") == ["Five methods compared"]
    assert reader.texts("h2") == [
        "In words",
        "Data and groups",
        "Comparison",
        "Trade-off",
        "Rates of the groups",
        "Neurons",
        "Pictures",
        "How to read this",
        "Settings and versions",
    ]
    (text,) = reader.texts("body")
    for part in (
        "Generated people; mean over 3 folds",
        "Drawn for the tests.",
        "Favourable label: income above 50,000.",
        "women 300 30.0% 10.0%",
        "men 700 70.0% 40.0%",
        "Method Group count selection rate Lots women 300 0.125 men 700 –",
        "First paragraph.",
        "Second paragraph.",
        "The rows were generated.",
        "Share of right decisions.",
        "Layer relu1: 15 of 20 neurons; 10 held responsible",
        "alpha=0.1",
        '"numpy": "2.4"',
        "ValueError: too <few> rows",
        "Nothing else.",
    ):
        assert part in text
    assert reader.texts("tr", **{"data-number": "2"}) == [
        "2 RunnerFairClassifier 0.842 ± 0.006 0.210 0.040 ± 0.010 0.020 to 0.060 9.0 "
        "no no no"
    ]
    (image,) = reader.all("img")
    assert image["src"].startswith("data:image/svg+xml;base64,PHN2Zy")
    assert image["alt"] == "A blue rectangle."


def test_absent_parts_leave_no_heading(make_page):
    page = make_page(
        groups=None,
        by_group=None,
        description="",
        favourable="",
        summary="",
        figures=(),
        neurons={},
        settings={},
        reproduce={},
    )
    reader = Reader(render_page(page))
    assert reader.complaints == []
    assert reader.texts("h2") == ["Comparison", "Trade-off", "How to read this"]
    assert len(reader.all("nav")) == 1
    assert reader.texts("nav") == ["Comparison Trade-off How to read this"]


def test_reading_help_is_about_what_the_page_shows(make_page):
    (text,) = Reader(render_page(make_page())).texts("section", id="reading")
    shown = ("Intervals cover", "constant", "by lot", "needs groups", "failed in some")
    assert all(part in text for part in shown)
    table = make_page().table
    plain = table[["accuracy_mean", "demographic_parity_difference_mean"]]
    (text,) = Reader(render_page(make_page(table=plain))).texts("section", id="reading")
    assert not any(part in text for part in (*shown, "±"))
    assert "A difference is the largest minus the smallest rate" in text


def test_no_word_is_said_that_numbers_cannot_carry(make_page):
    (text,) = Reader(render_page(make_page())).texts("main")
    said = text.replace("RunnerFairClassifier", "").lower()
    assert not re.search(r"\b(un)?fair(er|ness)?\b|debiased|unbiased", said)


def test_all_texts_are_escaped(make_page):
    table = make_page().table.rename(index={"Lots": EVIL})
    table.loc[EVIL, "error"] = EVIL
    neurons = make_page().neurons["RunnerFairClassifier"].assign(layer=EVIL)
    page = make_page(
        table=table,
        title=EVIL,
        data_name=EVIL,
        description=EVIL,
        favourable=EVIL,
        measured_on=EVIL,
        summary=EVIL,
        caveats=(EVIL,),
        groups=pd.DataFrame(
            {"n_samples": [1, 1], "share_favourable": [0, 1]}, index=[EVIL, "b"]
        ),
        by_group=pd.DataFrame(
            {EVIL: [0.5]}, index=pd.MultiIndex.from_tuples([(EVIL, EVIL)])
        ),
        figures=(PageFigure(EVIL, b"<svg/>", EVIL, EVIL),),
        neurons={EVIL: neurons},
        settings={EVIL: EVIL},
        reproduce={EVIL: EVIL},
    )
    html = render_page(page)
    reader = Reader(html)
    assert reader.complaints == []
    assert len(reader.all("script")) == 2
    assert len(reader.all("img")) == 1
    assert not any("onerror" in element for element in reader.elements)
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert _rows(reader)["methods"][-1]["name"] == EVIL
    assert reader.texts("h1") == [" ".join(EVIL.split())]
    assert reader.all("img")[0]["alt"] == EVIL


def test_names_are_broken_only_where_it_cannot_be_read(make_page):
    html = render_page(make_page())
    assert "Runner<wbr>Fair<wbr>Classifier" in html
    assert "RunnerFairClassifier" in Reader(html).texts("span", **{"class": "name"})


def test_what_utf8_cannot_hold_does_not_stop_the_page(make_page, tmp_path):
    path = tmp_path / "page.html"
    write_page(make_page(title="x\udce9"), path)
    assert "<title>x?</title>" in path.read_text(encoding="utf-8")


def test_the_policy_allows_this_style_and_this_script_alone(make_page):
    html = render_page(make_page())
    (meta,) = Reader(html).all("meta", **{"http-equiv": "Content-Security-Policy"})
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)[-1]
    for name, text in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{name} 'sha256-{digest}';" in meta["content"]
    assert meta["content"].startswith("default-src 'none'; img-src data:;")


def test_nothing_points_elsewhere(make_page):
    reader = Reader(render_page(make_page()))
    for element in reader.elements:
        for key in ("src", "href", "action", "srcset", "xlink:href"):
            assert element.get(key, "#").startswith(("#", "data:")), element
    (style,) = reader.texts("style")
    assert "url(" not in style
    assert "@import" not in style


def test_the_script_gets_no_number_that_json_lacks(make_page):
    table = make_page().table
    table.loc["Lots", "accuracy_std"] = np.inf
    table.loc["Thresholds", "fit_seconds_mean"] = np.inf
    data = _rows(Reader(render_page(make_page(table=table))))
    assert "fit_seconds" not in data["methods"][3]["values"]
    assert data["methods"][0]["values"]["accuracy"]["span"] == pytest.approx(
        [0.861, 0.857, 0.865]
    )


def test_the_still_picture_has_a_point_for_each_method_that_was_measured(make_page):
    table = make_page().table
    table.loc["Lots", "accuracy_mean"] = np.nan
    reader = Reader(render_page(make_page(table=table)))
    points = [e for e in reader.all("g") if e.get("class", "").startswith("point")]
    assert [e["class"] for e in points] == [
        "point first",
        "point",
        "point",
        "point hollow",
    ]
    across = [float(e["transform"][10:].split()[0]) for e in points]
    # By their differences: 0.21, 0.04, 0.15, 0.035.
    assert np.argsort(across).tolist() == [3, 1, 2, 0]


def test_a_comparison_in_which_all_failed_still_has_a_page(make_page):
    table = make_page().table
    table[[c for c in table if c.endswith(("_mean", "_std", "_low", "_high"))]] = np.nan
    table["folds"] = 0
    reader = Reader(render_page(make_page(table=table)))
    assert reader.complaints == []
    assert "there is nothing to draw" in reader.texts("main")[0]


def test_a_picture_keeps_its_place_and_a_wide_one_gets_a_row(make_page):
    def png(width, height):
        size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
        return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + size

    figures = [PageFigure("a", png(*size), "b") for size in [(300, 200), (900, 200)]]
    reader = Reader(render_page(make_page(figures=tuple(figures))))
    sizes = [(e["width"], e["height"]) for e in reader.all("img")]
    assert sizes == [("300", "200"), ("900", "200")]
    assert [e.get("class") for e in reader.all("figure")] == [None, "wide"]


def test_a_page_is_written_whole(make_page, tmp_path):
    path = tmp_path / "page.html"
    write_page(make_page(), path)
    assert path.read_text(encoding="utf-8") == render_page(make_page())
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]
