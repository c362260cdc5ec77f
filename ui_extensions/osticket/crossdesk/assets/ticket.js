// Puts the panel into osTicket's ticket page, in the place that the plugin has drawn for it. What it asks goes to osTicket, which passes it on.
"use strict";
(() => {
  for (const place of document.querySelectorAll(".crossdesk-panel-place:empty")) {
    const { src, media, locales, root } = place.dataset, panel = document.createElement("cd-panel");
    for (const [name, value] of Object.entries({ src, media, locales, theme: "light" })) panel.setAttribute(name, value);
    panel.headers = () => ({ "X-CSRFToken": document.querySelector("meta[name=csrf_token]")?.content || "" });
    panel.addEventListener("cd-open-ticket", (event) => { event.preventDefault(); location.assign(`${root}scp/tickets.php?id=${encodeURIComponent(event.detail.ref)}`); });
    // osTicket's editor stands in for the form's own field, and comes later than this.
    const attend = (event) => {
      if (!panel.isConnected) { document.removeEventListener("focusin", attend); return; }
      const field = event.target.closest?.("#reply .redactor-in, #reply textarea, #note .redactor-in, #note textarea");
      if (field) { panel.composer = field; panel.toggleAttribute("internal", Boolean(field.closest("#note"))); }
    };
    document.addEventListener("focusin", attend);
    const page = Object.assign(document.createElement("a"), { href: `${src}/page`, target: "_blank", rel: "noopener", textContent: "Crossdesk ↗" });
    // The ticket's own page goes on below.
    Object.assign(place.style, { margin: "8px 0", maxHeight: "60vh", overflowY: "auto" });
    place.append(panel, page);
  }
})();
