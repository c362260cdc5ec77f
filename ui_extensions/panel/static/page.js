// Turns the one-time word behind the `#` into a session and shows the panel. The word leaves the address at once; the session lives in this page alone.
"use strict";
(async () => {
  const said = document.getElementById("said"), token = location.hash.slice(1);
  history.replaceState(null, "", location.pathname + location.search);
  const root = location.pathname.replace(/\/panel\/-\/page$/, ""), from = new URLSearchParams(location.search).get("from");
  // Where the helpdesk lets agents sign in, a page that was loaded again has a way back.
  const fail = (text) => {
    said.textContent = text;
    if (/^[\w-]+\/[\w-]+$/.test(from || "")) said.append(" ", Object.assign(document.createElement("a"), { href: `${root}/panel/${from}`, textContent: said.dataset.again }));
  };
  if (!token) { fail(said.dataset.once); return; }
  try {
    const answer = await fetch(`${root}/panel/-/session`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }), cache: "no-store" });
    const told = await answer.json();
    if (!answer.ok) { fail(told.error?.text || said.dataset.refused); return; }
    const panel = document.createElement("cd-panel");
    panel.session = told.session;
    panel.setAttribute("media", root);
    panel.setAttribute("lang", navigator.language || "en");
    panel.setAttribute("src", `${root}/panel/${encodeURIComponent(told.helpdesk)}/${encodeURIComponent(told.ticket)}`);
    panel.addEventListener("cd-snapshot", (event) => { document.title = `#${event.detail.ticket.number} · ${event.detail.thread.network} · Crossdesk`; });
    document.getElementById("who").textContent = told.name;
    said.remove();
    document.querySelector("main").append(panel);
  } catch { fail(said.dataset.away); }
})();
