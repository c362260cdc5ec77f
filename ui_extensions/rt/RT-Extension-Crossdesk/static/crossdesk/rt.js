// Puts the panel into RT's ticket page, in the place that the extension has left for it. What it asks goes to RT, which passes it on.
"use strict";
(() => {
  for (const place of document.querySelectorAll(".crossdesk-panel-place:empty")) {
    const { src, media, locales, theme, root } = place.dataset, panel = document.createElement("cd-panel");
    const own = document.documentElement.dataset.bsTheme || theme;
    for (const [name, value] of Object.entries({ src, media, locales, theme: own })) panel.setAttribute(name, value);
    panel.headers = { "X-Crossdesk-Panel": "1" };
    panel.addEventListener("cd-open-ticket", (event) => { event.preventDefault(); location.assign(`${root}/Ticket/Display.html?id=${encodeURIComponent(event.detail.ref)}`); });
    place.append(panel);
  }
})();
