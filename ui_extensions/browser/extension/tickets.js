// Which ticket an address shows, by helpdesk. Pure: no browser, no network.
"use strict";
const TICKETS = {
  zammad: (url) => /^#ticket\/zoom\/(\d+)(?:\/|$)/.exec(url.hash)?.[1] || /^\/desktop\/tickets?\/(\d+)(?:\/|$)/.exec(url.below)?.[1],
  osticket: (url) => (/^\/scp\/tickets\.php$/.test(url.below) ? /^\d+$/.exec(url.searchParams.get("id") || "")?.[0] : undefined),
  rt: (url) => (/^\/Ticket\/[A-Za-z]+\.html$/.test(url.below) ? /^\d+$/.exec(url.searchParams.get("id") || "")?.[0] : undefined),
};

// { desk, ticket } for an address, among desks { kind, url, panel }; null where it shows no ticket of theirs. `url` may have a path.
function ticketIn(address, desks) {
  let url;
  try { url = new URL(address); } catch { return null; }
  for (const desk of desks) {
    const root = new URL(desk.url), base = root.pathname.replace(/\/+$/, "");
    if (url.origin !== root.origin || !(url.pathname === base || url.pathname.startsWith(`${base}/`))) continue;
    url.below = url.pathname.slice(base.length) || "/";
    const ticket = TICKETS[desk.kind]?.(url);
    if (ticket) return { desk, ticket };
  }
  return null;
}

// What is wrong with a desk as it was typed in, or null.
function problemOf({ kind, url, panel }) {
  if (!TICKETS[kind]) return "Choose a helpdesk.";
  for (const [name, address, path] of [["The helpdesk's address", url, /^\//], ["The panel's address", panel, /\/panel\/[\w-]+\/?$/]]) {
    let parsed;
    try { parsed = new URL(address); } catch { return `${name} is no address.`; }
    const isHere = parsed.protocol === "http:" && ["localhost", "127.0.0.1"].includes(parsed.hostname);
    if (parsed.protocol !== "https:" && !isHere) return `${name} must begin with https://.`;
    if (parsed.search || parsed.hash || parsed.username || !path.test(parsed.pathname)) return `${name} is not complete: such as ${name.includes("panel") ? "https://bridge.example.com/panel/support" : "https://support.example.com"}.`;
  }
  return null;
}
