// Puts a live chart with tooltips and zoom in the place of each wide drawing, once it has been drawn. A chart that
// cannot be drawn keeps its picture; so do narrow windows, print, and everybody without script.
(function () {
  "use strict";
  const SHAPES = ["bar", "area", "line", "trail", "point", "circle", "square", "rect", "arc", "tick"];
  const specs = JSON.parse(document.getElementById("chart-specs").textContent);
  const from = document.currentScript.dataset.from;

  function units(spec) {
    return spec.layer ? spec.layer.flatMap(units) : spec.mark ? [spec] : [];
  }

  // The first unit with a continuous x axis; null where the chart has parameters or facets of its own, or where the
  // axis has names at whole places.
  function zoomable(spec) {
    const all = units(spec);
    if (spec.params || all.some((unit) => unit.params)) return null;
    const found = all.find((unit) => ["temporal", "quantitative"].includes(((unit.encoding || {}).x || {}).type));
    return found && (found.encoding.x.axis || {}).tickMinStep ? null : found;
  }

  function zoomed(spec, unit) {
    // The wheel alone scrolls the page; a double click shows everything again.
    const zoom = "wheel![event.shiftKey || event.ctrlKey || event.metaKey]";
    unit.params = [{ name: "zoom", select: { type: "interval", encodings: ["x"], zoom: zoom }, bind: "scales" }];
    // The drawing's labels are written for all of its ticks; once it is zoomed, the axis makes its own.
    const axis = unit.encoding.x.axis;
    if (axis && axis.values && axis.labelExpr) {
      const time = unit.encoding.x.type === "temporal";
      const places = axis.values.map((at) => JSON.stringify(time ? Date.parse(at) : at));
      axis.values = { expr: "zoom_x ? null : [" + places + "]" };
      axis.labelExpr = "zoom_x ? datum.label : " + axis.labelExpr;
      axis.tickCount = 6;
    }
    units(spec).forEach((part) => {
      // One owner of the shared axis, else Vega-Lite warns of every layer that says the same domain.
      const x = (part.encoding || {}).x;
      if (part !== unit && x && x.scale) delete x.scale.domain;
      // Shapes end at the plot's edge; labels beside it do not, which Vega-Lite must be told.
      part.mark = Object.assign({ clip: part.mark.type !== "text" }, part.mark);
    });
  }

  function live(source) {
    const spec = structuredClone(source);
    units(spec).forEach((part) => {
      const mark = typeof part.mark === "string" ? { type: part.mark } : part.mark;
      const shown = SHAPES.includes(mark.type) && (part.encoding || {}).y && part.encoding.y.field;
      part.mark = shown ? Object.assign({ tooltip: true }, mark) : mark;
    });
    const unit = zoomable(spec);
    if (unit) zoomed(spec, unit);
    return spec;
  }

  // Names of axes say nothing, so only other fields keep theirs.
  function told(value, sanitize) {
    const rows = typeof value === "object" ? Object.entries(value) : [["", value]];
    return rows.filter(([name]) => name !== "order").map(([name, text]) => {
      const head = ["x", "y", "series"].includes(name) ? "" : sanitize(name) + " ";
      return "<div>" + head + "<b>" + sanitize(text) + "</b></div>";
    }).join("");
  }

  function start(box) {
    const still = box.querySelector("svg.chart");
    const holder = document.createElement("div");
    holder.className = "chart live" + (still.classList.contains("solid") ? " solid" : "");
    holder.hidden = true;
    box.append(holder);
    const tooltip = { formatTooltip: told, disableDefaultStyle: true };
    const options = { actions: false, renderer: "svg", logLevel: 1, defaultStyle: false, tooltip: tooltip };
    window.vegaEmbed(holder, live(specs[Number(box.dataset.chart)]), options).then(() => {
      holder.setAttribute("role", "img");
      holder.setAttribute("aria-label", still.getAttribute("aria-label"));
      holder.hidden = false;
      box.classList.add("has-live");
    }).catch(() => holder.remove());
  }

  if (window.vegaEmbed && window.matchMedia("(min-width:" + from + "px)").matches) {
    document.querySelectorAll("[data-chart]").forEach(start);
  }
})();
