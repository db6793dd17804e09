"use strict";
(() => {
  const form = document.getElementById("filters");
  const items = [...document.querySelectorAll("[data-host]")];
  const sections = [...document.querySelectorAll("main > section")];
  const hosts = new Set(items.map((item) => item.dataset.host));

  const matches = (item, wanted) =>
    item.dataset.host.toLowerCase().includes(wanted.host) &&
    ["driver", "kernel", "profile"].every(
      (name) => !wanted[name] || item.dataset[name].split("|").includes(wanted[name]),
    );

  const filter = () => {
    const said = Object.fromEntries(new FormData(form));
    const wanted = { ...said, host: said.host.trim().toLowerCase() };
    const shown = new Set();
    for (const item of items) {
      item.hidden = !matches(item, wanted);
      if (!item.hidden) shown.add(item.dataset.host);
    }
    for (const section of sections) {
      section.hidden = !section.querySelector("[data-host]:not([hidden])");
    }
    document.getElementById("nothing").hidden = shown.size > 0 || hosts.size === 0;
    document.getElementById("shown").textContent =
      shown.size === hosts.size ? `All ${hosts.size} hosts` : `${shown.size} of ${hosts.size} hosts`;
  };

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  filter();
})();
