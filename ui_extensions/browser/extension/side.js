// Beside the page: the panel of the ticket that the page shows. In Zammad the agent signs in with Zammad, in a window of the browser's own; for the others, whose
// extension or plugin has the panel in the page, it opens that on a page of its own. Everything that runs here is in this package.
"use strict";
(() => {
  const said = document.getElementById("said"), enter = document.getElementById("enter"), setup = document.getElementById("setup"), place = document.getElementById("place");
  const opened = new Map();
  let shown = "", now = null;

  const say = (words) => { said.textContent = words; };

  async function desks() { return (await chrome.storage.sync.get({ desks: [] })).desks; }

  async function look() {
    const all = await desks();
    // The address is told only for sites that were allowed in the set-up.
    const [tab] = await chrome.tabs.query({ active: true, lastFocusedWindow: true });
    setup.hidden = all.length > 0;
    now = tab?.url ? ticketIn(tab.url, all) : null;
    const key = now ? `${now.desk.panel} ${now.ticket}` : "";
    if (key === shown && key) return;
    shown = key;
    place.replaceChildren();
    enter.hidden = !now;
    if (!now) { say(all.length ? "Open a ticket, and its conversation is shown here." : "Say once which helpdesk you use."); return; }
    say(`Ticket ${now.ticket}`);
    if (opened.has(key)) draw(now, opened.get(key)); else enter.focus();
  }

  const OTHERS = { osticket: (desk, ticket) => `${desk.url}/scp/ajax.php/crossdesk/panel/${ticket}/page`, rt: (desk, ticket) => `${desk.url}/Crossdesk/Panel/${ticket}/page` };

  async function open() {
    const { desk, ticket } = now, key = shown;
    if (OTHERS[desk.kind]) { await chrome.tabs.create({ url: OTHERS[desk.kind]({ url: desk.url.replace(/\/+$/, "") }, ticket) }); return; }
    say("Signing in…");
    try {
      const back = await chrome.identity.launchWebAuthFlow({ url: `${desk.panel.replace(/\/+$/, "")}/${ticket}?to=extension`, interactive: true });
      const session = await exchange(desk, new URL(back).hash.slice(1));
      opened.set(key, session);
      if (key === shown) { say(""); draw(now, session); }
    } catch (problem) { say(`Nothing was opened: ${problem.message || problem}`); }
  }

  async function exchange(desk, token) {
    const answer = await fetch(`${rootOf(desk)}/panel/-/session`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }), cache: "no-store", credentials: "omit" });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error?.text || "the link was refused");
    return told.session;
  }

  const rootOf = (desk) => desk.panel.replace(/\/panel\/[\w-]+\/?$/, "");

  function draw({ desk, ticket }, session) {
    const panel = document.createElement("cd-panel");
    panel.session = session;
    panel.setAttribute("media", rootOf(desk));
    panel.setAttribute("lang", chrome.i18n?.getUILanguage() || navigator.language);
    panel.setAttribute("src", `${desk.panel.replace(/\/+$/, "")}/${encodeURIComponent(ticket)}`);
    place.replaceChildren(panel);
    enter.hidden = true;
  }

  enter.addEventListener("click", open);
  setup.addEventListener("click", () => chrome.runtime.openOptionsPage());
  chrome.tabs.onActivated.addListener(look);
  chrome.tabs.onUpdated.addListener((_, change) => { if (change.url || change.status === "complete") look(); });
  chrome.storage.onChanged.addListener(look);
  look();
})();
