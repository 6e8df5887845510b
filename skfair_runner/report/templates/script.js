"use strict";
(() => {
  document.documentElement.classList.add("js");
  const data = JSON.parse(document.getElementById("page-data").textContent);

  const make = (name, attributes = {}, text) => {
    const element = document.createElement(name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const draw = (name, attributes = {}, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // The comparison: sorting and filtering.
  const table = document.getElementById("comparison-table");
  const body = table.tBodies[0];
  const status = document.getElementById("comparison-status");
  const heads = [...table.tHead.rows[0].cells];
  const hidden = new Set();
  let order = "";

  const report = () => {
    const shown = body.rows.length - hidden.size;
    status.textContent = `${shown} of ${body.rows.length} methods shown. ${order}`;
  };
  const sortBy = (column) => {
    const head = heads[column];
    const now = head.getAttribute("aria-sort");
    const opposite = { asc: "desc", desc: "asc" };
    const before = now === "ascending" ? "asc" : "desc";
    const way = now ? opposite[before] : head.dataset.first;
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way === "asc" ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.value;
    const rows = [...body.rows].sort((a, b) => {
      const [first, second] = [key(a), key(b)];
      // What has no number comes last, whichever way.
      if (first === "" || second === "") return (first === "") - (second === "");
      return way === "asc" ? first - second : second - first;
    });
    body.append(...rows);
    const overlap = rows.some((row) => row.cells[column].querySelector(".interval"))
      ? " Where intervals overlap, the order says nothing."
      : "";
    const constant = head.classList.contains("k-difference")
      && rows.some((row) => row.dataset.flags.split(" ").includes("constant"))
      ? " Methods with constant decisions are low for no good reason."
      : "";
    order = column === 0
      ? `In ${way === "asc" ? "the original" : "reverse"} order.`
      : `Sorted by ${head.querySelector(".what").textContent}, ${way === "asc" ? "lowest" : "highest"} first.${overlap}${constant}`;
    report();
  };
  heads.forEach((head, column) => {
    const button = make("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sortBy(column));
  });

  const search = document.getElementById("filter-text");
  const hiders = [...document.querySelectorAll("[data-hide]")];
  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kinds = hiders.filter((box) => box.checked).map((box) => box.dataset.hide);
    hidden.clear();
    for (const row of body.rows) {
      const name = row.querySelector(".name").textContent.toLowerCase();
      const flags = row.dataset.flags.split(" ");
      row.hidden = !words.every((word) => name.includes(word))
        || kinds.some((kind) => flags.includes(kind));
      if (row.hidden) hidden.add(Number(row.dataset.number));
    }
    report();
    plot.show();
  };
  search.form.addEventListener("submit", (event) => event.preventDefault());
  search.form.addEventListener("reset", () => setTimeout(filter));
  search.addEventListener("input", filter);
  for (const box of hiders) box.addEventListener("change", filter);
  for (const box of document.querySelectorAll("[data-columns]")) {
    const toggle = () => table.classList.toggle(`hide-${box.dataset.columns}`, !box.checked);
    box.addEventListener("change", toggle);
    toggle();
  }

  // The trade-off.
  const CROSS = "M-15-15 15 15M-15 15 15-15";
  const makePlot = () => {
    const holder = document.getElementById("plot");
    const details = document.getElementById("details");
    const tip = make("div", { class: "tip", "aria-hidden": "true", hidden: "" });
    const selects = Object.fromEntries(
      [...document.querySelectorAll("[data-axis]")].map((each) => [each.dataset.axis, each]),
    );
    let chosen = null;
    let hovered = null;
    let points = [];
    let front = null;
    let width = 0;

    const label = (measure) => {
      const unit = measure.unit ? ` (${measure.unit})` : "";
      const better = measure.better === null
        ? ""
        : ` (${measure.better ? "more" : "less"} is better)`;
      return measure.label + unit + better;
    };
    const figures = (method) => ["x", "y"].map((axis) => {
      const name = selects[axis].value;
      const { text, interval } = method.values[name];
      return [data.measures[name].label, text, interval];
    });

    const describe = () => {
      const point = hovered || chosen;
      details.replaceChildren();
      if (!point) {
        details.append(make("p", {}, "No method is chosen."));
        return;
      }
      const { method } = point;
      details.append(make("p", { class: "who" }, `${method.number}. ${method.name}`));
      const list = make("dl");
      for (const [name, text, interval] of figures(method)) {
        const dd = make("dd", {}, text);
        if (interval) dd.append(make("span", { class: "interval" }, `interval ${interval}`));
        list.append(make("dt", {}, name), dd);
      }
      details.append(list);
      if (method.flags.length) {
        const flags = make("p");
        for (const [kind, text] of method.flags) {
          flags.append(make("span", { class: `flag flag-${kind}` }, text), " ");
        }
        details.append(flags);
      }
      if (method.settings) {
        details.append(
          make("p", {}, "Settings:"),
          make("pre", { tabindex: "0", "aria-label": "Settings" }, method.settings),
        );
      }
    };
    const showTip = () => {
      const point = hovered || chosen;
      tip.hidden = !point || hidden.has(point.method.number);
      if (tip.hidden) return;
      tip.replaceChildren(make("strong", {}, `${point.method.number}. ${point.method.name}`));
      for (const [name, text] of figures(point.method)) {
        tip.append(make("span", {}, `${name}: ${text}`));
      }
      const room = holder.clientWidth - tip.offsetWidth - 4;
      const left = Math.max(4, Math.min(room, point.cx - tip.offsetWidth / 2));
      const above = point.cy - tip.offsetHeight - 18;
      tip.style.left = `${left}px`;
      tip.style.top = `${above > 0 ? above : point.cy + 18}px`;
    };
    const raise = () => {
      front.replaceChildren();
      const point = hovered || chosen;
      if (!point || hidden.has(point.method.number)) return;
      const copy = point.node.cloneNode(true);
      for (const name of ["role", "tabindex", "aria-label", "aria-selected"]) {
        copy.removeAttribute(name);
      }
      const bars = point.bars.cloneNode(true);
      bars.setAttribute("class", "bars");
      front.append(bars, copy, draw("circle", { class: "ring", cx: point.cx, cy: point.cy, r: 14 }));
    };
    const update = () => {
      for (const point of points) {
        point.node.setAttribute("aria-selected", String(point === chosen));
        point.node.setAttribute("tabindex", "-1");
      }
      const visible = points.filter((point) => !hidden.has(point.method.number));
      const stop = visible.includes(chosen) ? chosen : visible[0];
      if (stop) stop.node.setAttribute("tabindex", "0");
      raise();
      showTip();
      describe();
    };
    const choose = (point) => {
      if (point === chosen) return;
      chosen = point;
      update();
    };
    const hover = (point) => {
      hovered = point;
      raise();
      showTip();
      describe();
    };
    const press = (event, point) => {
      const visible = points.filter((each) => !hidden.has(each.method.number));
      const at = visible.indexOf(point);
      const target = {
        ArrowRight: visible[at + 1],
        ArrowUp: visible[at + 1],
        ArrowLeft: visible[at - 1],
        ArrowDown: visible[at - 1],
        Home: visible[0],
        End: visible[visible.length - 1],
      };
      if (event.key === "Escape") {
        hovered = null;
        choose(null);
      } else if (event.key === "Enter" || event.key === " ") {
        choose(point);
      } else if (event.key in target) {
        if (target[event.key]) target[event.key].node.focus();
      } else {
        return;
      }
      event.preventDefault();
    };

    const addPoint = (method, cx, cy, ends) => {
      const has = (kind) => method.flags.some(([each]) => each === kind);
      const first = method.number === 1 ? " first" : "";
      const bars = draw("g");
      for (const line of ends) bars.append(draw("line", { ...line, class: first.trim() }));
      const node = draw("g", {
        class: `point${first}${has("groups") ? " hollow" : ""}`,
        role: "option",
        "aria-label": `${method.number}. ${method.name}`,
        transform: `translate(${cx} ${cy})`,
        "data-number": method.number,
      });
      node.append(draw("circle", { class: "hit", r: 18 }));
      if (has("constant")) node.append(draw("path", { class: "cross", d: CROSS }));
      node.append(
        draw("circle", { class: "dot", r: 11 }),
        draw("text", { y: 4, "text-anchor": "middle" }, method.number),
      );
      const point = { method, node, bars, cx, cy };
      node.addEventListener("focus", () => choose(point));
      node.addEventListener("click", () => choose(point));
      node.addEventListener("keydown", (event) => press(event, point));
      node.addEventListener("pointerenter", () => hover(point));
      node.addEventListener("pointerleave", () => hover(null));
      points.push(point);
    };

    const addAxes = (svg, place, height, [x, y]) => {
      const axes = draw("g", { class: "axes", "aria-hidden": "true" });
      const { left, right, top, bottom } = place;
      const every = x.ticks.length > 5 && width < 420 ? 2 : 1;
      x.ticks.forEach(([value, text], index) => {
        const at = place.across(value);
        axes.append(draw("line", { class: "grid", x1: at, x2: at, y1: top, y2: bottom }));
        if (index % every === 0) {
          axes.append(draw("text", { x: at, y: bottom + 18, "text-anchor": "middle" }, text));
        }
      });
      for (const [value, text] of y.ticks) {
        const at = place.down(value);
        axes.append(
          draw("line", { class: "grid", x1: left, x2: right, y1: at, y2: at }),
          draw("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, text),
        );
      }
      axes.append(
        draw("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
        draw("line", { class: "axis", x1: left, x2: left, y1: top, y2: bottom }),
      );
      // In two lines where there is no room for one.
      const split = width < 480;
      const words = (measure) => (split ? label(measure).split(/ (?=\()/) : [label(measure)]);
      words(y).forEach((text, line) => {
        axes.append(draw("text", { class: line ? "" : "label", x: 6, y: 20 + 16 * line }, text));
      });
      words(x).forEach((text, line) => {
        axes.append(draw("text", {
          class: line ? "" : "label", x: right, y: bottom + 40 + 16 * line, "text-anchor": "end",
        }, text));
      });
      svg.append(axes);
    };

    const show = () => {
      const kept = chosen && chosen.method.number;
      const [x, y] = ["x", "y"].map((axis) => data.measures[selects[axis].value]);
      width = Math.max(260, holder.clientWidth);
      const narrow = width < 480;
      const height = Math.round(Math.max(320, Math.min(460, 0.62 * width)));
      const place = { left: 56, right: width - 20, top: narrow ? 56 : 44, bottom: height - (narrow ? 70 : 56) };
      const scale = (axis, start, end) => (value) => {
        const share = (value - axis.low) / (axis.high - axis.low);
        return Math.round(10 * (start + share * (end - start))) / 10;
      };
      place.across = scale(x, place.left + 16, place.right - 16);
      place.down = scale(y, place.bottom - 16, place.top + 16);
      const svg = draw("svg", { viewBox: `0 0 ${width} ${height}` });
      addAxes(svg, place, height, [x, y]);

      points = [];
      for (const method of data.methods) {
        const [first, second] = [method.values[selects.x.value], method.values[selects.y.value]];
        if (!first || !second) continue;
        const [cx, x1, x2] = first.span.map(place.across);
        const [cy, y1, y2] = second.span.map(place.down);
        addPoint(method, cx, cy, [
          { x1, x2, y1: cy, y2: cy },
          { x1: cx, x2: cx, y1, y2 },
        ]);
      }
      points.sort((a, b) => a.cx - b.cx || b.cy - a.cy);
      const bars = draw("g", { class: "bars", "aria-hidden": "true" });
      const list = draw("g", {
        role: "listbox",
        "aria-label": `Methods by ${x.label}, lowest first`,
        "aria-orientation": "horizontal",
      });
      front = draw("g", { class: "front", "aria-hidden": "true" });
      for (const point of points) {
        const out = hidden.has(point.method.number);
        point.bars.setAttribute("class", out ? "out" : "");
        point.node.classList.toggle("out", out);
        bars.append(point.bars);
        list.append(point.node);
      }
      svg.append(bars, list, front);
      holder.replaceChildren(svg, tip);
      hovered = null;
      chosen = points.find((point) => point.method.number === kept
        && !hidden.has(kept)) || null;
      update();
    };

    for (const axis in selects) {
      for (const name in data.measures) {
        selects[axis].append(make("option", { value: name }, data.measures[name].label));
      }
      selects[axis].value = data[axis];
      selects[axis].form.addEventListener("submit", (event) => event.preventDefault());
      selects[axis].addEventListener("change", show);
    }
    holder.addEventListener("click", (event) => {
      if (!event.target.closest(".point")) choose(null);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && hovered) hover(null);
    });
    new ResizeObserver(() => {
      if (Math.abs(holder.clientWidth - width) > 1) show();
    }).observe(holder);
    show();
    return { show };
  };
  const canPlot = data.x in data.measures && data.y in data.measures;
  const plot = canPlot ? makePlot() : { show: () => {} };
  filter();

  // Settings to take away; all that is folded comes out on paper.
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      const told = document.getElementById("copy-status");
      try {
        await navigator.clipboard.writeText(source.textContent);
        told.textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren(source);
        told.textContent = "The text is selected: copy it with the keyboard.";
      }
    });
  }
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    for (const each of folded) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of folded) each.open = false;
  });
})();
