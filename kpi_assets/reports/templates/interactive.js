// Puts a live chart with tooltips and zoom in the place of each wide drawing, once it has been drawn. A chart that
// cannot be drawn keeps its picture; so do narrow windows, print, and everybody without script.
(function () {
  "use strict";
  const SHAPES = ["bar", "area", "line", "trail", "point", "circle", "square", "rect", "arc", "tick"];
  const specs = JSON.parse(document.getElementById("chart-specs").textContent);

  function units(spec) {
    return spec.layer ? spec.layer.flatMap(units) : [spec];
  }

  function shape(unit) {
    return typeof unit.mark === "string" ? unit.mark : unit.mark && unit.mark.type;
  }

  // The first unit with a continuous x axis; null where the chart has parameters of its own.
  function zoomable(spec) {
    const all = units(spec);
    if (spec.params || all.some((unit) => unit.params)) return null;
    return all.find((unit) => {
      const x = (unit.encoding || {}).x || (spec.encoding || {}).x;
      return x && (x.type === "temporal" || x.type === "quantitative") && !(spec.concat || spec.facet);
    });
  }

  function live(source) {
    const spec = structuredClone(source);
    const unit = zoomable(spec);
    if (unit) {
      // The wheel alone scrolls the page; a double click shows everything again.
      const zoom = "wheel![event.shiftKey || event.ctrlKey || event.metaKey]";
      unit.params = [{ name: "zoom", select: { type: "interval", encodings: ["x"], zoom: zoom }, bind: "scales" }];
      // One owner of the shared axis, else Vega-Lite warns of every layer that says the same domain.
      units(spec).forEach((part) => {
        const x = (part.encoding || {}).x;
        if (part !== unit && x && x.scale) delete x.scale.domain;
      });
      units(spec).filter((part) => SHAPES.includes(shape(part))).forEach((part) => {
        part.mark = Object.assign({ clip: true }, typeof part.mark === "string" ? { type: part.mark } : part.mark);
      });
    }
    spec.config = spec.config || {};
    SHAPES.forEach((name) => { spec.config[name] = Object.assign({ tooltip: true }, spec.config[name]); });
    return spec;
  }

  function start(box) {
    const still = box.querySelector("svg.chart");
    const holder = document.createElement("div");
    holder.className = "chart live" + (still.classList.contains("solid") ? " solid" : "");
    holder.hidden = true;
    box.append(holder);
    const options = { actions: false, renderer: "svg", logLevel: 1, defaultStyle: false };
    window.vegaEmbed(holder, live(specs[Number(box.dataset.chart)]), options).then(() => {
      holder.setAttribute("role", "img");
      holder.setAttribute("aria-label", still.getAttribute("aria-label"));
      holder.hidden = false;
      box.classList.add("has-live");
    }).catch(() => holder.remove());
  }

  if (window.vegaEmbed && window.matchMedia("(min-width:" + document.currentScript.dataset.from + "px)").matches) {
    document.querySelectorAll("[data-chart]").forEach(start);
  }
})();
