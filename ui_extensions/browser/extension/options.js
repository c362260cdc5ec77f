// The set-up: which helpdesks, and the browser's leave to see which of their tickets is open. No other site is asked for.
"use strict";
(() => {
  const form = document.getElementById("add"), list = document.getElementById("desks"), said = document.getElementById("said");
  const origins = (desk) => [...new Set([desk.url, desk.panel].map((address) => `${new URL(address).protocol}//${new URL(address).hostname}/*`))];

  async function desks() { return (await chrome.storage.sync.get({ desks: [] })).desks; }

  async function draw() {
    const rows = (await desks()).map((desk, index) => {
      const row = document.createElement("li"), remove = document.createElement("button");
      remove.textContent = "Remove";
      remove.addEventListener("click", async () => {
        const left = (await desks()).filter((_, other) => other !== index), needed = new Set(left.flatMap(origins));
        await chrome.storage.sync.set({ desks: left });
        await chrome.permissions.remove({ origins: origins(desk).filter((origin) => !needed.has(origin)) });
        draw();
      });
      row.append(`${desk.kind} · ${desk.url} · ${desk.panel} `, remove);
      return row;
    });
    list.replaceChildren(...rows);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const desk = Object.fromEntries(["kind", "url", "panel"].map((name) => [name, form.elements[name].value.trim()])), problem = problemOf(desk);
    if (problem) { said.textContent = problem; return; }
    if (!(await chrome.permissions.request({ origins: origins(desk) }))) { said.textContent = "Without the browser's leave nothing can be shown; nothing was added."; return; }
    await chrome.storage.sync.set({ desks: [...(await desks()), desk] });
    form.reset();
    said.textContent = "Added. Open a ticket, and press Crossdesk in the browser's bar.";
    draw();
  });
  draw();
})();
