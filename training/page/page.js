"use strict";
// Everything is on the page already; this narrows the lists and opens what a link leads to.
(() => {
  const all = (root, selector) => [...root.querySelectorAll(selector)];

  function filter(form) {
    const list = document.getElementById(form.dataset.list);
    const wanted = all(form, "select").filter((each) => each.value);
    const search = form.querySelector("[type=search]").value.trim().toLowerCase();
    const items = all(list, ".item");
    let shown = 0;
    for (const item of items) {
      const fits = wanted.every((each) =>
        (item.dataset[each.dataset.for] || "").split(" ").includes(each.value));
      item.hidden = !(fits && (!search || item.textContent.toLowerCase().includes(search)));
      shown += !item.hidden;
    }
    for (const group of all(list, "details")) {
      group.hidden = !group.querySelector(".item:not([hidden])");
      if (search && !group.hidden) group.open = true;
    }
    form.querySelector("output").textContent =
      `${shown.toLocaleString("en")} of ${items.length.toLocaleString("en")} ${form.dataset.things}`;
  }

  function arrive() {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target || !target.matches("details")) return;
    target.open = true;
    target.hidden = false;
    target.scrollIntoView();
    target.querySelector("summary").focus({ preventScroll: true });
  }

  for (const form of all(document, ".filters")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => filter(form));
    form.addEventListener("reset", () => setTimeout(() => filter(form)));
    filter(form);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.hash === location.hash) arrive(); // no hashchange comes
  });
  window.addEventListener("hashchange", arrive);
  arrive();
})();
