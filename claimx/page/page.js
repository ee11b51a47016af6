"use strict";
// Everything is on the page already; this lights up what belongs together, and filters.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MOST_LINES = 12;
  let pinned = null; // the element whose parts stay lit
  let shown = null;
  let lit = [];

  const numbers = (value) => (value || "").split(" ").filter(Boolean);
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const having = (root, name, list) =>
    list.flatMap((number) => all(root, `[data-${name}~="${number}"]`));

  // ---- what belongs to an element ----

  function subject(element) {
    const found = { quotes: new Set(), claims: new Set(), people: new Set() };
    const add = (set, value) => numbers(value).forEach((number) => found[set].add(number));
    for (let at = element; at && at.tagName !== "ARTICLE"; at = at.parentElement) {
      const data = at.dataset;
      add("quotes", data.q), add("quotes", data.s), add("quotes", data.c);
      add("claims", data.v), add("people", data.p);
      add("quotes", data.quote), add("claims", data.claim), add("people", data.person);
      if (at.classList.contains("badge")) add("quotes", at.id.split("-q")[1]);
    }
    const lists = Object.fromEntries(Object.entries(found).map(([key, set]) => [key, [...set]]));
    return Object.values(lists).some((list) => list.length) ? lists : null;
  }

  function show(element) {
    if (element === shown) return;
    const article = element && element.closest("article");
    const parts = article && subject(element);
    clear();
    if (!parts) return;
    shown = element;
    const text = article.querySelector(".text");
    const side = article.querySelector(".side");
    lit = [
      ...["q", "s", "c"].flatMap((name) => having(text, name, parts.quotes)),
      ...having(text, "v", parts.claims),
      ...having(text, "p", parts.people),
      ...having(side, "quote", parts.quotes),
      ...having(side, "claim", parts.claims),
      ...having(side, "person", parts.people),
    ].filter((each) => !each.classList.contains("off"));
    lit.forEach((each) => each.classList.add("lit"));
    draw(text, parts.quotes.slice(0, MOST_LINES));
    tell(article, parts);
  }

  function clear() {
    lit.forEach((each) => each.classList.remove("lit"));
    lit = [];
    shown = null;
    document.querySelectorAll(".lines").forEach((each) => each.remove());
    document.querySelectorAll(".strip").forEach((each) => (each.hidden = true));
  }

  function tell(article, parts) {
    const prefix = article.id;
    const label = (id) => document.getElementById(id)?.getAttribute("aria-label");
    const lines = [
      ...parts.quotes.slice(0, 3).map((number) => label(`${prefix}-q${number}`)),
      ...having(article, "claim", parts.claims.slice(0, 3)).map(
        (each) => `Claim: ${each.innerText.trim().replace(/\s*\n\s*/g, " · ")}`,
      ),
      ...having(article, "person", parts.people.slice(0, 3)).map((each) => each.dataset.label),
    ].filter(Boolean);
    const strip = article.querySelector(".strip");
    strip.textContent = lines.join("\n");
    strip.hidden = !lines.length;
  }

  // ---- lines from a quote to its cue and its speaker ----

  function draw(text, quotes) {
    const frame = text.getBoundingClientRect();
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("class", "lines");
    picture.setAttribute("aria-hidden", "true");
    for (const number of quotes) {
      const quote = having(text, "q", [number]).filter((each) => !each.matches(".badge, .off"));
      for (const [name, kind] of [["c", "to-cue"], ["s", "to-speaker"]]) {
        const other = having(text, name, [number]).filter((each) => !each.matches(".off"));
        const ends = nearest(rectangles(quote), rectangles(other));
        if (!ends) continue;
        const tint = [...quote[0].classList].find((each) => /^(tint\d|plain)$/.test(each));
        connect(picture, ends, frame, `${kind} ${tint || "plain"}`);
      }
    }
    if (picture.childNodes.length) text.append(picture);
  }

  function rectangles(elements) {
    const most = elements.length > 40 ? [...elements.slice(0, 20), ...elements.slice(-20)] : elements;
    return most.flatMap((each) => [...each.getClientRects()]).filter((each) => each.width > 1);
  }

  function nearest(some, others) {
    let best = null;
    for (const from of some) {
      for (const to of others) {
        const across = Math.max(to.left - from.right, from.left - to.right, 0);
        const down = 4 * Math.abs((from.top + from.bottom - to.top - to.bottom) / 2);
        if (!best || across + down < best.far) best = { far: across + down, from, to };
      }
    }
    return best;
  }

  function connect(picture, { from, to }, frame, classes) {
    const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
    const middle = (to.left + to.right) / 2;
    const x1 = clamp(middle, from.left + 6, from.right - 6) - frame.left;
    const x2 = clamp((from.left + from.right) / 2, to.left + 4, to.right - 4) - frame.left;
    const near = Math.abs(from.top + from.bottom - to.top - to.bottom) < from.height;
    const below = to.top > from.top;
    const y1 = (near || !below ? from.top : from.bottom) - frame.top;
    const y2 = (near || below ? to.top : to.bottom) - frame.top;
    const lift = near ? Math.min(26, 10 + Math.abs(x2 - x1) / 12) : 0;
    const half = (y1 + y2) / 2;
    const path = near
      ? `M${x1} ${y1} C${x1} ${y1 - lift} ${x2} ${y2 - lift} ${x2} ${y2}`
      : `M${x1} ${y1} C${x1} ${half} ${x2} ${half} ${x2} ${y2}`;
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", classes);
    const line = document.createElementNS(SVG, "path");
    line.setAttribute("d", path);
    const dot = document.createElementNS(SVG, "circle");
    for (const [key, value] of [["cx", x2], ["cy", y2], ["r", 3.5]]) {
      dot.setAttribute(key, value);
    }
    group.append(line, dot);
    picture.append(group);
  }

  // ---- filters ----

  function filter(form) {
    const article = form.closest("article");
    const kinds = new Set(all(form, '[name="kind"]:checked').map((each) => each.value));
    const who = form.elements.who.value;
    const people = new Set(numbers(form.elements.who.selectedOptions[0].dataset.people));
    const least = Number(form.elements.score.value);
    form.elements.least.textContent = least.toFixed(2);
    const side = article.querySelector(".side");
    const said = (each) => !who || who === `s${each.dataset.source}`;
    const quotes = keep(all(side, "[data-quote]"), "quote", (each) =>
      kinds.has(each.dataset.kind) && said(each) && each.dataset.score >= least);
    const claims = keep(all(side, "[data-claim]"), "claim", (each) =>
      kinds.has("claims") && said(each) && each.dataset.score >= least);
    keep(all(side, "[data-person]"), "person", (each) =>
      kinds.has("people") && (!who || people.has(each.dataset.person)));
    all(side, ".source").forEach((each) => (each.hidden = !each.querySelector("li:not([hidden])")));
    all(side, "section").forEach((each) => (each.hidden = !each.querySelector("ol > li:not([hidden])")));
    const wanted = (list, set) => numbers(list).some((number) => set.has(number));
    for (const each of all(article.querySelector(".text"), "[data-q], [data-s], [data-c]")) {
      const { q, s, c } = each.dataset;
      each.classList.toggle("off", ![q, s, c].some((list) => wanted(list, quotes)));
    }
    for (const each of all(article.querySelector(".text"), "[data-v]")) {
      each.classList.toggle("off", !wanted(each.dataset.v, claims));
    }
    for (const each of all(article.querySelector(".text"), "[data-t]")) {
      const meant = !who || wanted(each.dataset.p, people);
      each.classList.toggle("off", !(kinds.has("people") && meant && each.dataset.t >= least));
    }
    form.querySelector(".count").textContent =
      `${quotes.size} of ${all(side, "[data-quote]").length} quotes, ` +
      `${claims.size} of ${all(side, "[data-claim]").length} claims`;
    clear();
  }

  function keep(entries, name, fits) {
    const kept = new Set();
    for (const each of entries) {
      each.hidden = !fits(each);
      if (!each.hidden) kept.add(each.dataset[name]);
    }
    return kept;
  }

  // ---- events ----

  const back = () => (pinned && pinned.isConnected ? show(pinned) : clear());

  function pin(element) {
    pinned = element && element.closest("article") && subject(element) ? element : null;
    back();
  }

  // A link to a place in the text pins what stands there, so that its lines stay.
  function arrive() {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target || !target.closest(".text")) return;
    pin(target);
    if (target.matches("a[href]")) target.focus({ preventScroll: true });
  }

  let pointer = "";
  document.addEventListener("mouseover", (event) => {
    const where = `${event.screenX},${event.screenY}`;
    if (where === pointer) return; // the page moved under it, as when a link was followed
    pointer = where;
    const over = event.target.closest(".text span, .text a, .side li");
    if (over && subject(over)) show(over);
    else back();
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.closest(".text a, .side li")) show(event.target);
  });
  document.addEventListener("focusout", back);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) arrive(); // no hashchange comes
    if (event.target.closest(".text")) pin(event.target.closest(".text span, .text a"));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") pin(null);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest(".filters");
    if (form) filter(form);
    else clear(); // labels move the text
  });
  document.addEventListener("reset", (event) => {
    const form = event.target.closest(".filters");
    if (form) setTimeout(() => filter(form));
  });
  window.addEventListener("resize", clear);
  window.addEventListener("hashchange", arrive);
  document.addEventListener("submit", (event) => event.preventDefault());
  all(document, ".filters").forEach((form) => (form.hidden = false));
  arrive();
})();
