// <cd-panel src="/relay/panel/42">: the agents' panel beside a ticket. One file, plain JavaScript, no build; see docs/panel.md.
//
// It draws what the bridge says and decides nothing: which buttons are on, and why not, comes with the snapshot. Everything that people wrote is
// set as text, never as HTML; links lead to http(s) alone.
//
// Attributes  src: the relay's address of this ticket; lang, theme (light | dark); media: what stands before the paths of pictures (default: the
//             relay's origin); locales: folder of the locale files (default: beside this script); composer: selector of the reply's field;
//             internal: the reply being written is a note and stays inside.
// Properties  headers: object or function with headers for the relay (CSRF); texts: locale entries, instead of a file; composer: the element.
// Methods     preflight(text): says what would become of a reply; refresh().
// Events      cd-snapshot (detail: the snapshot), cd-empty (nothing of ours), cd-open-ticket (detail: {ref}; cancel it to open the ticket yourself).
"use strict";
(() => {
  const HERE = document.currentScript?.src || "";
  const EVERY = { busy: 1500, quiet: 5000, hidden: 30000 };
  const QUIET_AFTER = 180000, STOP_AFTER = 600000, WHOLE_EVERY = 60000, LONGEST_PAUSE = 60000;
  const SPOKEN_MINUTES = [15, 5, 1];
  const FILLED = ["name", "language", "values"];
  const FIRST_SHOWN = 12, MORE_SHOWN = 24, LONG_TEXT = 900;

  const EN = /* locales/en.json */ {
    "panel": "Conversation", "loading": "Loading the conversation…", "empty": "This ticket has nothing to do with a social channel.",
    "away": "Crossdesk does not answer. What you see is from {time}; buttons are off until it is back.", "away.first": "Crossdesk does not answer. It is asked again by itself.",
    "paused": "Not looked at for a while, so nothing is updated.", "continue": "Continue", "ended": "Your session has ended. Open the panel from the ticket again.",
    "updated": "As of {time}", "public": "public", "private": "private", "who.public": "Everybody can read a reply here, also people without an account.",
    "who.private": "Only the customer reads a reply here.", "answerable": "Who can be answered: {who}.", "open.original": "Original post", "closed": "ticket closed", "scam": "Marked as scam",
    "channel.paused": "This channel is paused.", "channel.reauth": "The platform no longer accepts our credentials. Replies wait.", "channel.billing": "The platform has stopped our account. Replies wait.",
    "unreachable": "The customer has blocked us or left. Replies cannot arrive.", "window.open": "Replies are possible for", "window.closed": "The platform's reply window is closed. Answer when the customer writes again.",
    "stage": "Stage", "stage.social": "Quick question", "stage.handoff": "Handoff", "stage.formal": "Formal ticket", "stage.confirming": "Waiting for confirmation", "stage.resolved": "Resolved",
    "stage.light": "asked whether the quick answer helped", "rule": "Rule", "reason": "Reason", "offered": "The policy suggests a handoff: {rule}",
    "due.promise": "Customer was promised to hear of us in", "due.silence": "Closes by itself if the customer stays silent, in", "due.postponed": "Handoff put off, for", "due.offer": "The suggestion is forgotten in",
    "over": "overdue by", "outcome.confirmed": "The customer confirmed it.", "outcome.unconfirmed": "The customer stayed silent; closed as unconfirmed.", "outcome.supervisor": "Closed by a supervisor's decision.",
    "broken": "The rule {rule} could not be judged; nothing is posted in public.", "monitored": "Here we only listen; nobody answers.", "steps.in": "Here we answer only when asked.", "holds": "Public replies are held.", "history": "What was decided",
    "lock": "Lock", "lock.mine": "You have this conversation until {time}.", "lock.other": "{name} has this conversation until {time}.", "lock.lost": "You have lost the lock: {name} has taken over.",
    "here": "Also here", "here.viewing": "{name} is looking", "here.typing": "{name} is writing",
    "approval": "Approval", "approval.needed": "A second person must approve this reply.", "approval.pending": "Waits for a second person.", "approval.approved": "Approved.", "approval.rejected": "Rejected.",
    "approval.by": "by {name}, {time}", "diff.what": "What changes before it is posted", "diff.same": "It is posted as it was written.",
    "hold": "Nothing leaves", "thread": "Thread", "messages.one": "{count} message", "messages.other": "{count} messages", "earlier": "Show earlier messages", "nothing": "Nothing was said yet.",
    "from.customer": "customer", "from.bystander": "not the customer", "from.agent": "agent", "from.staff": "our side, on the platform itself", "from.crossdesk": "automatic notice", "staff": "Staff", "agent": "Agent", "someone": "Somebody",
    "like.helper": "helper", "like.unknown": "unknown", "like.impostor": "likely impostor", "edited": "edited {time}", "versions": "Earlier wordings", "deleted": "Deleted on the platform, {time}", "show.deleted": "Show what was said",
    "answers": "answers {name}", "answers.unknown": "answers a message that is not here", "more": "Show all", "less": "Show less", "found": "Found by the search {name}; it does not address us.", "picture.failed": "The picture cannot be shown here.",
    "file.not": "not in the ticket", "d.held": "held", "d.sending": "being sent", "d.sent": "sent", "d.delivered": "delivered", "d.read": "read", "d.failed": "failed", "d.checking": "checking whether it arrived", "d.unclear": "unclear whether it arrived", "d.discarded": "not sent",
    "parts": "{sent} of {all} parts", "retry": "Send again", "c.retry": "Look on the platform first: if it arrived, it would be there twice.",
    "actions": "Actions", "off.one": "{count} more, not possible now", "off.other": "{count} more, not possible now", "pending": "{action}: pressed by {name}, being done…", "why": "Why?", "why.optional": "Why? (may stay empty)", "do": "Do it", "cancel": "Cancel", "missing": "Say why first.",
    "done": "Done: {action}", "no.answer": "No answer came. Press again: the same press counts once.", "someone.first": "Somebody else was first",
    "c.handoff": "The customer is told once, on their channel. From then on public replies are held.", "c.undo": "The conversation becomes a quick question again, and the rule does not fire here any more.", "c.confirm": "The customer is asked on their channel.", "c.confirm.handoff": "The ticket counts as complete and becomes formal.",
    "c.close": "The ticket ends without the customer's word; your reason stands in the ledger.", "c.release": "Held replies leave, in public too; your reason stands in the ledger.",
    "person": "Person", "followers.one": "{count} follower", "followers.other": "{count} followers", "verified": "verified by the platform", "bot": "a machine, says the platform", "since": "account since {time}", "known": "All conversations", "this.one": "this ticket", "no.ticket": "no ticket", "accounts": "Accounts", "tags": "Tags", "notes": "Notes",
    "help": "Solved something similar", "article": "Article", "c.template": "A text that the platform has approved; it may also leave when the reply window is closed.", "template.name": "Name of the template", "template.language": "Language", "template.values": "What fills its places, one a line",
    "hide": "Hide", "show": "Show again", "hidden": "Hidden on the platform.", "c.hide": "It is hidden on the platform for everybody but its author.", "c.show": "Everybody can read it on the platform again.", "approval.more": "Waiting after this one",
    "reply": "Your reply", "reply.note": "An internal note: it stays inside.", "length": "{length} of {limit} {unit}", "length.free": "{length} {unit}", "reply.fine": "Nothing stands against it.", "hold.it": "would be held", "warn.it": "to note",
    "say.message": "New message from {name}", "say.stage": "Stage is now: {stage}", "say.delivery": "Reply {status}", "say.left": "{what}: {left}", "say.presence": "{name} is writing",
    "t.days": "{days} d {hours} h", "t.hours": "{hours} h {minutes} min", "t.minutes.one": "{count} minute", "t.minutes.other": "{count} minutes",
  };

  const DARK = "--paper: #1d1e23; --wash: #2a2b32; --ink: #ececf1; --soft: #a9abb7; --line: #42444e; --accent: #8ab4f8; --on-accent: #10203a; --good: #7fd6a0; --bad: #ff9f97; --bad-wash: #3f1f1d; --warn: #f5c76a; --warn-wash: #3a2d12; --ours: #22344f; --theirs: #2a2b32;";
  const STYLE = `
:host { display: block; min-width: 0; color-scheme: light dark; font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; text-align: start;
  --paper: #fff; --wash: #f3f4f6; --ink: #1c1d22; --soft: #5b5d68; --line: #d5d7dd; --accent: #2456a6; --on-accent: #fff; --good: #17663a; --bad: #a8231c; --bad-wash: #fdecea; --warn: #7a4b00; --warn-wash: #fff3d6; --ours: #e7effa; --theirs: #f3f4f6; }
:host([hidden]) { display: none; }
@media (prefers-color-scheme: dark) { :host(:not([theme=light])) { ${DARK} } }
:host([theme=dark]) { color-scheme: dark; ${DARK} }
:host([theme=light]) { color-scheme: light; }
*, *::before, *::after { box-sizing: border-box; }
.panel { background: var(--paper); color: var(--ink); border: 1px solid var(--line); border-radius: 8px; overflow: clip; overflow-wrap: anywhere; }
.part { padding: 10px 12px; border-block-start: 1px solid var(--line); }
.part:empty { display: none; }
.head { border-block-start: 0; }
h2, h3, p, ol, ul, dl, dd, form { margin: 0; padding: 0; }
h2 { font-size: 15px; line-height: 1.3; } h3 { font-size: 12px; font-weight: 650; color: var(--soft); margin-block-end: 4px; }
ol, ul { list-style: none; }
bdi { unicode-bidi: isolate; }
.row { display: flex; flex-wrap: wrap; gap: 4px 8px; align-items: center; }
.soft { color: var(--soft); } .small { font-size: 12.5px; }
.tag { display: inline-block; border: 1px solid currentColor; border-radius: 99px; padding: 0 8px; font-size: 12px; font-weight: 600; line-height: 1.6; }
.tag.public { color: var(--warn); } .tag.private { color: var(--good); } .tag.bad { color: var(--bad); }
.notice { padding: 8px 10px; border-radius: 6px; background: var(--warn-wash); color: var(--warn); margin-block: 6px; }
.notice.bad { background: var(--bad-wash); color: var(--bad); }
.part > .notice:first-child { margin-block-start: 0; } .part > .notice:last-child { margin-block-end: 0; }
a { color: var(--accent); text-underline-offset: 2px; }
button { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--soft); border-radius: 6px; padding: 4px 10px; min-height: 30px; cursor: pointer; text-align: start; }
button:hover:not(:disabled) { border-color: var(--accent); }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
button.danger { border-color: var(--bad); color: var(--bad); }
button.main.danger { background: var(--bad); color: var(--paper); }
button.plain { border: 0; background: none; padding: 2px 0; min-height: 24px; color: var(--accent); text-decoration: underline; text-underline-offset: 2px; }
button:disabled { opacity: .6; cursor: default; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
summary { cursor: pointer; min-height: 24px; color: var(--accent); }
.stages { display: flex; gap: 3px; margin-block: 6px; }
.stages li { flex: 1; height: 5px; border-radius: 3px; background: var(--line); }
.stages li.past { background: var(--accent); opacity: .45; } .stages li.now { background: var(--accent); }
.due { font-variant-numeric: tabular-nums; font-weight: 650; } .due.over { color: var(--bad); }
dl { display: grid; grid-template-columns: auto 1fr; gap: 1px 8px; font-size: 13px; } dt { color: var(--soft); }
.buttons { display: flex; flex-wrap: wrap; gap: 6px; }
.form { border: 1px solid var(--line); border-radius: 6px; padding: 8px 10px; margin-block-start: 8px; display: grid; gap: 6px; background: var(--wash); }
textarea, input { width: 100%; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 6px; padding: 5px 8px; min-height: 30px; resize: vertical; } textarea { min-height: 3.6em; }
.off li { margin-block: 4px; } .buttons + details { margin-block-start: 6px; }
.thread { display: grid; gap: 8px; }
.message { display: grid; grid-template-columns: 26px minmax(0, 1fr); gap: 0 8px; }
.face { width: 26px; height: 26px; border-radius: 50%; background: var(--soft); color: var(--paper); font-size: 11px; font-weight: 650; display: grid; place-items: center; overflow: hidden; user-select: none; }
.face.agent, .face.staff, .face.crossdesk { border-radius: 30%; background: var(--accent); color: var(--on-accent); } .face img { width: 100%; height: 100%; object-fit: cover; }
.bubble { background: var(--theirs); border-radius: 8px; padding: 6px 10px; min-width: 0; border: 1px solid transparent; }
.ours .bubble { background: var(--ours); } .bystander .bubble { background: none; border: 1px dashed var(--soft); } .impostor .bubble { border: 2px solid var(--bad); }
.notice-message .bubble { font-size: 13px; }
.by { font-weight: 650; }
.text { white-space: pre-wrap; unicode-bidi: isolate; overflow: clip; contain: paint; padding-block: 2px; max-width: 100%; }
.text.long { max-height: 13em; } .text code { font-family: ui-monospace, monospace; font-size: .93em; } .text .quote { border-inline-start: 3px solid var(--line); padding-inline-start: 6px; color: var(--soft); }
.text del { color: var(--soft); }
.files { display: flex; flex-wrap: wrap; gap: 6px; margin-block-start: 4px; }
.files img { display: block; max-width: 100%; max-height: 180px; border-radius: 6px; border: 1px solid var(--line); background: var(--paper); }
.delivery { font-size: 12.5px; margin-block-start: 3px; } .delivery.held, .delivery.checking { color: var(--warn); } .delivery.failed, .delivery.unclear { color: var(--bad); } .delivery.read, .delivery.delivered { color: var(--good); }
.meter { height: 5px; border-radius: 3px; background: var(--line); overflow: hidden; margin-block: 4px; } .meter i { display: block; height: 100%; background: var(--accent); } .meter.over i { background: var(--bad); }
ins { text-decoration: underline; text-decoration-thickness: 2px; background: color-mix(in srgb, var(--good) 18%, transparent); } .diff del { background: color-mix(in srgb, var(--bad) 18%, transparent); }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.foot { font-size: 12px; color: var(--soft); padding-block: 6px; }
@media (prefers-reduced-motion: no-preference) { .fresh .bubble { animation: fresh 1.2s ease-out; } @keyframes fresh { from { border-color: var(--accent); } } }
@media (forced-colors: active) { .stages li.now, .stages li.past { background: Highlight; } .bubble { border: 1px solid; } }
@media print { button, .form { display: none; } }`;

  // Words into elements: text and attributes, nothing else. There is no way from here to HTML, and a tower of accents stays a letter with accents.
  function h(tag, props, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== "").map((child) => (typeof child === "string" ? calm(child) : child)));
    return node;
  }

  const p = (look, ...words) => h("p", { class: look }, ...words);
  const span = (look, ...words) => h("span", { class: look }, ...words);
  const strong = (...words) => h("strong", null, ...words);
  const text = (...words) => h("div", { class: "text", dir: "auto" }, ...words);
  // What people wrote, or a sentence of the bridge's.
  const bdi = (words) => h("bdi", null, words);
  // A part that opens; it stays as it is when its surroundings are drawn again.
  const fold = (key, title, props, ...inside) => h("details", { "data-k": key, class: "small", ...props }, h("summary", { "data-k": `${key}-s` }, title), ...inside);
  const unfolded = (node) => new Set([...node.querySelectorAll("details[open]")].map((one) => one.dataset.k));
  const unfold = (node, open) => { for (const one of node.querySelectorAll("details")) if (open.has(one.dataset.k)) one.open = true; };

  // Only the web; anything else (javascript:, data:) is no link.
  function web(address) {
    try {
      const url = new URL(address);
      return url.protocol === "https:" || url.protocol === "http:" ? url : null;
    } catch { return null; }
  }

  // Pictures come from the bridge: a path, never an address of somebody's.
  const isPath = (path) => /^\/[^/\\]/.test(path || "");
  const link = (address, ...words) => { const url = web(address); return url ? h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...words) : h("span", null, ...words); };
  const calm = (words) => String(words).replace(/(\p{M}{6})\p{M}+/gu, "$1…");
  const TAGS = { bold: "b", italic: "i", strike: "s", code: "code", pre: "code" };
  const ADDRESS = /https?:\/\/[^\s<>"'\u202a-\u202e\u2066-\u2069]+/gu;

  // Marks count code points, as the bridge does.
  function rich({ plain, marks }) {
    const letters = Array.from(plain), all = marks.filter((mark) => mark.start < mark.end);
    const isLinked = (start, end) => all.some((mark) => mark.kind === "link" && mark.start < end && mark.end > start);
    for (const found of plain.matchAll(ADDRESS)) {
      const words = found[0].replace(/[.,;:!?)]+$/u, ""), start = Array.from(plain.slice(0, found.index)).length, end = start + Array.from(words).length;
      if (!isLinked(start, end)) all.push({ start, end, kind: "link", url: words });
    }
    const cuts = [...new Set([0, letters.length, ...all.flatMap((mark) => [mark.start, mark.end])])].filter((at) => at <= letters.length).sort((a, b) => a - b);
    return cuts.slice(1).map((end, index) => {
      const start = cuts[index], words = letters.slice(start, end).join("");
      let node = document.createTextNode(calm(words));
      for (const mark of all.filter((one) => one.start <= start && one.end >= end)) {
        if (mark.kind === "link") {
          const url = web(mark.url);
          node = link(mark.url, node);
          if (url && !words.includes(url.host)) node = h("span", null, node, span("soft small", ` [${url.host}]`));
        } else node = mark.kind === "quote" ? span("quote", node) : h(TAGS[mark.kind] || "span", null, node);
      }
      return node;
    });
  }

  // Which words went and which came, by the longest common run of words; huge texts are shown one after the other.
  function difference(before, after) {
    const a = before.match(/\s+|\S+/gu) || [], b = after.match(/\s+|\S+/gu) || [];
    if (a.length * b.length > 400000) return [h("del", null, before), h("br"), h("ins", null, after)];
    const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
    for (let i = a.length - 1; i >= 0; i -= 1) for (let j = b.length - 1; j >= 0; j -= 1) table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    const runs = [];
    const add = (kind, word) => { const last = runs[runs.length - 1]; if (last && last.kind === kind) last.words += word; else runs.push({ kind, words: word }); };
    let i = 0, j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) { add("same", a[i]); i += 1; j += 1; }
      else if (i < a.length && (j === b.length || table[i + 1][j] >= table[i][j + 1])) { add("del", a[i]); i += 1; }
      else { add("ins", b[j]); j += 1; }
    }
    return runs.map((run) => (run.kind === "same" ? document.createTextNode(calm(run.words)) : h(run.kind, null, run.words)));
  }

  let sheet = null;
  function dress(root) {
    try {
      if (!sheet) { sheet = new CSSStyleSheet(); sheet.replaceSync(STYLE); }
      root.adoptedStyleSheets = [sheet];
    } catch { root.append(h("style", null, STYLE)); }
  }

  const STAGES = ["social", "handoff", "formal", "confirming", "resolved"];
  const SIGNS = { held: "⏸", sending: "…", sent: "✓", delivered: "✓✓", read: "✓✓", failed: "✕", checking: "…", unclear: "?", discarded: "–" };
  const PARTS = ["head", "alerts", "stage", "actions", "lock", "approval", "reply", "help", "thread", "person", "foot"];

  class CrossdeskPanel extends HTMLElement {
    static observedAttributes = ["src", "lang", "internal", "composer"];
    #root = this.attachShadow({ mode: "open" });
    #parts = {}; #drawn = {}; #data = null; #older = []; #rows = new Map(); #texts = EN; #headers = {}; #given = null;
    #shown = FIRST_SHOWN; #open = null; #drafts = {}; #keys = {}; #said = null; #expanded = new Set();
    #life = null; #timer = 0; #ticker = 0; #asking = null; #failures = 0; #hiddenSince = 0; #state = "loading"; #offset = 0; #whole = 0; #active = 0; #typed = 0; #spoken = new Set();
    #field = null; #weighing = 0; #weighed = null; #language = "en"; #session = "";
    #wake = () => { this.#active = Date.now(); if (this.#state === "paused") this.refresh(); };
    #seen = () => { this.#hiddenSince = document.hidden ? Date.now() : 0; if (!document.hidden) { this.#active = Date.now(); this.#poll(); } };
    #input = () => { this.#typed = Date.now(); this.#wake(); clearTimeout(this.#weighing); this.#weighing = setTimeout(() => this.preflight(read(this.#field)), 350); };

    connectedCallback() {
      if (!this.#parts.head) this.#build();
      this.#active = Date.now();
      this.#life = new AbortController();
      const { signal } = this.#life;
      document.addEventListener("visibilitychange", this.#seen, { signal });
      for (const name of ["pointerdown", "keydown"]) addEventListener(name, this.#wake, { passive: true, capture: true, signal });
      this.#ticker = setInterval(() => this.#tick(), 1000);
      this.#locale().then(() => this.#redraw());
      this.#attend();
      this.refresh();
    }

    disconnectedCallback() {
      clearTimeout(this.#timer); clearInterval(this.#ticker); clearTimeout(this.#weighing);
      this.#asking?.abort();
      this.#life.abort();
      this.#field?.removeEventListener("input", this.#input);
      this.#field = null;
    }

    attributeChangedCallback(name, before, after) {
      if (!this.isConnected || before === after || !this.#parts.head) return;
      if (name === "src") { this.#data = null; this.#older = []; this.#rows.clear(); this.#state = "loading"; this.#shown = FIRST_SHOWN; this.#weighed = null; this.#open = null; this.#drafts = {}; this.#keys = {}; this.#spoken.clear(); this.#redraw(); this.refresh(); }
      if (name === "lang") this.#speak();
      if (name === "composer") this.#attend();
      if (name === "internal") { this.#weighed = null; if (this.#field) this.preflight(read(this.#field)); else this.#redraw(); }
    }

    set headers(value) { this.#headers = value; }
    set session(value) { this.#session = value; }
    get snapshot() { return this.#data; }
    set texts(value) { this.#given = value; if (this.isConnected) this.#speak(); }
    set composer(value) { this.#attend(value); }

    // Load everything anew, now.
    refresh() { this.#whole = 0; return this.#poll(); }

    // What would become of this reply: who reads it, how long it is, what stands against it.
    async preflight(text) {
      if (this.hasAttribute("internal") || !text.trim()) { this.#weighed = null; this.#redraw(); return null; }
      try {
        const answer = await this.#fetch("/preflight", { method: "POST", body: JSON.stringify({ text }) });
        if (!answer.ok) return null;
        this.#weighed = await answer.json();
        this.#redraw();
        return this.#weighed;
      } catch { return null; }
    }

    // Asking

    async #fetch(path, options = {}) {
      const own = typeof this.#headers === "function" ? this.#headers() : this.#headers;
      const headers = { Accept: "application/json", ...(options.body ? { "Content-Type": "application/json" } : {}), ...(this.#session ? { "X-Crossdesk-Session": this.#session } : {}), ...own };
      const answer = await fetch(`${this.getAttribute("src")}${path}${path.includes("?") ? "&" : "?"}lang=${this.#language}`, { cache: "no-store", credentials: "same-origin", ...options, headers });
      const renewed = answer.headers.get("X-Crossdesk-Session");
      if (renewed) this.#session = renewed;
      return answer;
    }

    async #poll() {
      clearTimeout(this.#timer);
      if (!this.getAttribute("src") || !this.isConnected) return;
      this.#asking?.abort();
      const asking = (this.#asking = new AbortController()), src = this.getAttribute("src"), began = Date.now();
      const isWhole = !this.#data || began - this.#whole > WHOLE_EVERY, doing = began - this.#typed < 10000 ? "typing" : "viewing";
      const query = new URLSearchParams({ doing, ...(isWhole ? {} : { since: this.#data.rev }) });
      const late = setTimeout(() => asking.abort(), 15000);
      try {
        const answer = await this.#fetch(`?${query}`, { signal: asking.signal });
        if (asking !== this.#asking || src !== this.getAttribute("src")) return;
        if (answer.status === 200) { const data = await answer.json(); if (asking !== this.#asking) return; this.#whole = began; this.#take(data); }
        else if (answer.status === 204) { this.#state = "live"; this.#failures = 0; }
        else if (answer.status === 404) { this.#state = "empty"; this.#data = null; this.#announce("cd-empty"); }
        else if (answer.status === 401 && this.#session) this.#state = "ended";
        else { this.#state = "away"; this.#failures += 1; this.#pause = Number(answer.headers.get("Retry-After")) * 1000 || 0; }
        this.#redraw();
      } catch {
        if (asking !== this.#asking) return;
        this.#state = "away"; this.#failures += 1;
        this.#redraw();
      } finally {
        clearTimeout(late);
        if (asking === this.#asking && this.isConnected) { this.#asking = null; this.#schedule(); }
      }
    }

    #pause = 0;
    #schedule() {
      clearTimeout(this.#timer);
      const now = Date.now();
      if (this.#state === "ended") return;
      if (document.hidden && this.#hiddenSince && now - this.#hiddenSince > STOP_AFTER) { this.#state = "paused"; this.#redraw(); return; }
      let wait = document.hidden ? EVERY.hidden : now - this.#active > QUIET_AFTER ? EVERY.quiet : EVERY.busy;
      if (this.#state === "empty") wait = EVERY.hidden;
      if (this.#failures) wait = Math.max(wait, Math.min(LONGEST_PAUSE, 1000 * 2 ** Math.min(this.#failures, 6)) * (0.75 + Math.random() / 2), this.#pause);
      this.#pause = 0;
      this.#timer = setTimeout(() => this.#poll(), wait);
    }

    #take(data) {
      const before = this.#data;
      this.#data = data; this.#state = "live"; this.#failures = 0;
      this.#offset = Date.parse(data.server_now) - Date.now();
      this.#compare(before, data);
      this.#announce("cd-snapshot", data);
    }

    // To the host page; false when it says that it does the rest itself.
    #announce(name, detail) { return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: name === "cd-open-ticket" })); }

    // What a person who does not see the panel must hear.
    #compare(before, data) {
      if (!before) return;
      const known = new Set(before.messages.map((message) => message.id));
      for (const message of data.messages) if (!known.has(message.id) && message.direction === "inbound") { this.#active = Date.now(); this.#say(this.#t("say.message", { name: message.author.name || this.#t("someone") })); }
      if (before.stage.name !== data.stage.name) this.#say(this.#t("say.stage", { stage: this.#t(`stage.${data.stage.name}`) }));
      const status = new Map(before.deliveries.map((item) => [item.message, item.status]));
      for (const item of data.deliveries) if (status.get(item.message) !== item.status && ["held", "failed", "delivered", "sent", "unclear"].includes(item.status)) this.#say(this.#t("say.delivery", { status: this.#t(`d.${item.status}`) }));
      if (before.lock?.mine && !data.lock?.mine) this.#alarm.textContent = calm(this.#t("lock.lost", { name: data.lock?.holder || "–" }));
      const typing = new Set(before.presence.filter((one) => one.doing === "typing").map((one) => one.name));
      for (const one of data.presence) if (!one.me && one.doing === "typing" && !typing.has(one.name)) this.#say(this.#t("say.presence", { name: one.name }));
    }

    // Pressing

    #live = h("div", { class: "spoken", role: "status", "aria-live": "polite" });
    #alarm = h("div", { class: "spoken", role: "alert" });
    #say(words) { this.#live.textContent = calm(words); }

    async #press(action, form) {
      const reason = (form?.elements.reason?.value || "").trim();
      if (action.needs.includes("reason") && !reason) { this.#said = { bad: true, text: this.#t("missing") }; this.#redraw(); form.elements.reason.focus(); return; }
      // Pressed again after no answer, it is the same press.
      const key = (this.#keys[action.key] ||= Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""));
      const body = { key, rev: this.#data.rev, reason, ...(this.#data.lock ? { fence: this.#data.lock.fence } : {}), arguments: { ...action.arguments, ...(action.needs.includes("template") ? Object.fromEntries(FILLED.map((name) => [name, form.elements[name].value])) : {}) } };
      this.#busy = action.key; this.#said = null; this.#redraw();
      try {
        const answer = await this.#fetch(`/actions/${encodeURIComponent(action.id)}`, { method: "POST", body: JSON.stringify(body) });
        const told = await answer.json().catch(() => ({}));
        const snapshot = answer.ok ? told : told.error?.snapshot;
        if (snapshot?.rev) { this.#take(snapshot); this.#asking?.abort(); this.#asking = null; this.#schedule(); }
        if (answer.status !== 503 && answer.status !== 429 && answer.status < 500) delete this.#keys[action.key];
        if (answer.ok) { this.#open = null; this.#drafts = {}; this.#said = { text: this.#t("done", { action: action.label }) }; this.#back = action.key; }
        else { const first = answer.status === 409; this.#said = { bad: !first, text: `${first ? `${this.#t("someone.first")}. ` : ""}${told.error?.text || this.#t("no.answer")}` }; if (first) { this.#open = null; this.#back = action.key; } }
      } catch { this.#said = { bad: true, text: this.#t("no.answer") }; }
      this.#busy = null;
      this.#say(this.#said.text);
      this.#redraw();
    }

    #busy = null; #back = null;

    async #earlier() {
      const all = this.#older.length + (this.#data?.messages.length || 0), from = this.#older.length ? this.#olderThan : this.#data.thread.older;
      this.#shown += MORE_SHOWN;
      if (this.#shown > all && from) {
        try {
          const answer = await this.#fetch(`?before=${from}`);
          if (answer.ok) { const page = await answer.json(); this.#older = [...page.messages, ...this.#older]; this.#olderThan = page.thread.older; this.#olderSent = [...page.deliveries, ...this.#olderSent]; }
        } catch { this.#shown -= MORE_SHOWN; }
      }
      this.#redraw();
    }

    #olderThan = null; #olderSent = [];

    // The reply's field, where the host page lets us see it.
    #attend(element) {
      const found = element || (this.getAttribute("composer") ? document.querySelector(this.getAttribute("composer")) : null);
      if (found === this.#field) return;
      this.#field?.removeEventListener("input", this.#input);
      this.#field = found;
      found?.addEventListener("input", this.#input);
    }

    // Words

    // In another language: the bridge's own sentences, too.
    async #speak() { await this.#locale(); this.#redraw(); this.refresh(); }

    async #locale() {
      let wanted = this.getAttribute("lang") || this.closest("[lang]")?.lang || navigator.language;
      try { [wanted] = Intl.getCanonicalLocales(wanted); } catch { wanted = "en"; }
      this.#language = wanted;
      if (this.#given) { this.#texts = { ...EN, ...this.#given }; return; }
      const base = wanted.toLowerCase().split("-")[0];
      if (base === "en") { this.#texts = EN; return; }
      const folder = this.getAttribute("locales") || (HERE ? new URL("locales/", HERE).href : "");
      try {
        const answer = folder ? await fetch(`${folder.replace(/\/?$/, "/")}${encodeURIComponent(base)}.json`, { credentials: "same-origin" }) : null;
        this.#texts = answer?.ok ? { ...EN, ...(await answer.json()) } : EN;
      } catch { this.#texts = EN; }
      if (this.#texts === EN) this.#language = "en";
    }

    #t(key, values = {}) { return (this.#texts[key] ?? EN[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole)); }
    #n(key, count) { const form = `${key}.${new Intl.PluralRules(this.#language).select(count)}`; return this.#t(form in this.#texts ? form : `${key}.other`, { count: this.#number(count) }); }
    #number(value) { return new Intl.NumberFormat(this.#language).format(value); }
    #clock(moment) {
      if (!moment) return "";
      const at = new Date(moment), now = new Date(this.#now()), isToday = at.toDateString() === now.toDateString();
      const how = isToday ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", ...(at.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }) };
      return new Intl.DateTimeFormat(this.#language, how).format(at);
    }
    #time(moment) { return moment ? h("time", { datetime: moment, dir: "auto", title: new Date(moment).toLocaleString() }, this.#clock(moment)) : null; }
    #now() { return Date.now() + this.#offset; }
    #span(milliseconds) {
      const seconds = Math.max(0, Math.round(milliseconds / 1000)), minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
      if (hours >= 24) return this.#t("t.days", { days: Math.floor(hours / 24), hours: hours % 24 });
      if (hours) return this.#t("t.hours", { hours, minutes: String(minutes % 60).padStart(2, "0") });
      return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
    }

    // A countdown is drawn every second and spoken three times.
    #tick() {
      if (this.#weighed && this.#field && !read(this.#field).trim()) { this.#weighed = null; this.#redraw(); }
      if (this.#said && !this.#said.bad && Date.now() - (this.#said.at ||= Date.now()) > 12000) { this.#said = null; this.#redraw(); }
      for (const node of this.#root.querySelectorAll("time[data-until]")) {
        const left = this.#count(node);
        if (left <= 0 && node.dataset.ended !== "yes") { node.dataset.ended = "yes"; this.#drawn.head = null; this.#redraw(); this.refresh(); }
        for (const minutes of SPOKEN_MINUTES) {
          const key = `${node.dataset.until} ${node.dateTime} ${minutes}`;
          if (left > 0 && left <= minutes * 60000 && left > (minutes - 1) * 60000 && !this.#spoken.has(key)) { this.#spoken.add(key); this.#say(this.#t("say.left", { what: node.dataset.until, left: this.#n("t.minutes", minutes) })); }
        }
      }
    }
    #countdown(moment, what) {
      const node = h("time", { datetime: moment, class: "due", "data-until": what });
      node.dataset.ended = this.#count(node) > 0 ? "no" : "yes";
      return node;
    }
    #count(node) {
      const left = Date.parse(node.dateTime) - this.#now(), words = left > 0 ? this.#span(left) : `${this.#t("over")} ${this.#span(-left)}`;
      if (node.textContent !== words) node.textContent = words;
      node.classList.toggle("over", left <= 0);
      return left;
    }

    #title(key) { return h("h3", null, this.#t(key)); }
    #toggle(key) { this.#open = this.#open === key ? null : key; this.#redraw(); }

    // Drawing

    #build() {
      dress(this.#root);
      for (const name of PARTS) this.#parts[name] = h("div", { class: `part ${name}` });
      this.#region = h("section", { class: "panel", role: "region", "aria-labelledby": "title" }, ...PARTS.map((name) => this.#parts[name]));
      this.#root.append(this.#region, this.#live, this.#alarm);
      this.#redraw();
    }
    #region = null;

    #redraw() {
      if (!this.#parts.head) return;
      this.#region.setAttribute("lang", this.#language);
      const data = this.#data, ui = [this.#texts === EN ? 0 : this.#language, this.#given ? 1 : 0, this.#state];
      const focused = this.#root.activeElement?.dataset.k, range = this.#root.activeElement?.selectionStart;
      this.#draw("head", [ui, data?.thread, data?.ticket, data?.person], () => this.#head(data));
      this.#draw("alerts", [ui, this.#failures > 0, data?.hold, data?.thread, data?.stage.scam, this.#state === "away" ? data?.server_now : 0], () => this.#alerts(data));
      this.#draw("stage", [ui, data?.stage], () => data && this.#stage(data.stage));
      this.#draw("actions", [ui, data?.actions, data?.pending, this.#open, this.#busy, this.#said?.text], () => data && this.#actions(data));
      this.#draw("lock", [ui, data?.lock, data?.presence], () => data && this.#lock(data));
      this.#draw("approval", [ui, data?.approval], () => data && this.#approval(data.approval));
      this.#draw("reply", [ui, this.#weighed, this.hasAttribute("internal") && Boolean(this.#field)], () => data && this.#reply());
      this.#draw("help", [ui, data?.suggestions], () => data?.suggestions?.length && this.#help(data.suggestions));
      this.#draw("person", [ui, data?.person], () => data?.person && this.#person(data.person));
      this.#thread(data, ui);
      this.#draw("foot", [ui, data?.server_now], () => data && this.#foot(data));
      const wanted = this.#back || focused;
      if (wanted && (this.#back || !this.#root.activeElement)) {
        const node = this.#root.querySelector(`[data-k="${CSS.escape(wanted)}"]`) || this.#root.querySelector(".actions button:not(:disabled)");
        node?.focus({ preventScroll: true });
        if (range !== undefined && range !== null && node?.tagName === "TEXTAREA") node.setSelectionRange(range, range);
      }
      this.#back = null;
    }

    // A part is drawn again only when what it shows has changed, so that menus and selections survive.
    #draw(name, shown, make) {
      const key = JSON.stringify(shown);
      if (this.#drawn[name] === key) return;
      this.#drawn[name] = key;
      const part = this.#parts[name], open = unfolded(part);
      const made = make();
      part.replaceChildren(...(made ? [made].flat(Infinity).filter(Boolean) : []));
      unfold(part, open);
    }

    #head(data) {
      if (!data) return [h("h2", { id: "title" }, this.#t("panel")), p("soft", this.#t({ empty: "empty", away: "away.first", ended: "ended" }[this.#state] || "loading"))];
      const { thread, ticket } = data;
      return [
        h("h2", { id: "title", class: "row" }, bdi(thread.network), span(`tag ${thread.visibility}`, this.#t(thread.visibility)), ticket.closed && span("tag", this.#t("closed"))),
        p("small soft", this.#t(`who.${thread.visibility}`), thread.may_answer && ` ${this.#t("answerable", { who: thread.may_answer })}`),
        thread.window_closes_at && p("small", Date.parse(thread.window_closes_at) > this.#now() ? [`${this.#t("window.open")} `, this.#countdown(thread.window_closes_at, this.#t("window.open"))] : strong(this.#t("window.closed"))),
      ];
    }

    #alerts(data) {
      const told = [];
      const add = (words, bad, more) => told.push(p(bad ? "notice bad" : "notice", words, more));
      if (this.#state === "away" && data) add(this.#t("away", { time: this.#clock(data.server_now) }), true);
      if (this.#state === "ended" && data) add(this.#t("ended"), true);
      if (this.#state === "paused") add(this.#t("paused"), false, [" ", h("button", { "data-k": "continue", on: { click: () => this.refresh() } }, this.#t("continue"))]);
      if (data?.stage.scam) add(this.#t("scam"), true);
      if (data?.hold) add([strong(`${this.#t("hold")}: `), data.hold.text], true);
      if (data && !data.thread.reachable) add(this.#t("unreachable"), true);
      if (data && data.thread.channel_status !== "active") add([this.#t(`channel.${data.thread.channel_status}`), data.thread.channel_text && ` ${data.thread.channel_text}`], true);
      return told;
    }

    #stage(stage) {
      const at = STAGES.indexOf(stage.name), due = stage.due_at && stage.due_kind;
      return [
        h("h3", { id: "stage" }, this.#t("stage")),
        p("row", strong(this.#t(`stage.${stage.name}`)), stage.light && span("soft small", this.#t("stage.light"))),
        h("ol", { class: "stages", "aria-hidden": "true" }, STAGES.map((_, index) => h("li", { class: index === at ? "now" : index < at ? "past" : null }))),
        due && p("small", `${this.#t(`due.${stage.due_kind}`)} `, this.#countdown(stage.due_at, this.#t(`due.${stage.due_kind}`))),
        stage.outcome && p("small", this.#t(`outcome.${stage.outcome}`)),
        (stage.rule || stage.reason) && h("dl", null, stage.rule && [h("dt", null, this.#t("rule")), h("dd", null, bdi(stage.rule))], stage.reason && [h("dt", null, this.#t("reason")), h("dd", null, bdi(stage.reason))]),
        stage.offered && stage.name === "social" && p("notice", this.#t("offered", { rule: stage.offered })),
        stage.holds_public && p("small soft", this.#t("holds")),
        stage.broken && p("notice bad", this.#t("broken", { rule: stage.broken })),
        stage.monitored && p("notice", this.#t(stage.steps_in ? "steps.in" : "monitored")),
        stage.history.length > 0 && fold("history", this.#t("history"), null, h("ul", null, stage.history.map((one) => h("li", null, this.#time(one.at), " ", strong(bdi(one.rule)), one.by && [" · ", bdi(one.by)], one.reason && [h("br"), bdi(one.reason)])))),
      ];
    }

    // What a press of this button brings; for some it differs by stage.
    #warning(id) { const key = `c.${id}`; return this.#texts[`${key}.${this.#data.stage.name}`] || this.#texts[key]; }

    #actions(data) {
      const isOff = this.#state === "away" || this.#state === "ended", on = data.actions.filter((one) => one.enabled), off = data.actions.filter((one) => !one.enabled);
      if (!data.actions.length) return this.#said ? [this.#outcome()] : null;
      const button = (action, index) => {
        const key = `action ${action.id}`, opens = action.confirm || action.needs.length > 0;
        const act = { ...action, key };
        return h("button", { type: "button", class: action.danger ? "danger" : index ? null : "main", "data-k": key, disabled: isOff || this.#busy === key, "aria-expanded": opens ? String(this.#open === key) : null, on: { click: () => { this.#said = null; if (opens) { this.#toggle(key); this.#root.querySelector(`[data-k="${CSS.escape(`reason ${key}`)}"]`)?.focus(); } else this.#press(act); } } }, action.label);
      };
      const open = on.find((one) => `action ${one.id}` === this.#open);
      return [
        this.#title("actions"),
        this.#outcome(),
        data.pending.map((one) => p("small soft", this.#t("pending", { action: one.label, name: one.by }))),
        h("div", { class: "buttons" }, on.map(button)),
        open && this.#form({ ...open, key: `action ${open.id}`, warning: this.#warning(open.id) }, isOff),
        off.length > 0 && fold("off", this.#n("off", off.length), null, h("ul", { class: "off" }, off.map((one) => h("li", null, strong(one.label), h("br"), span("soft", bdi(one.why_not)))))),
      ];
    }

    #outcome() { return this.#said && h("p", { class: this.#said.bad ? "notice bad" : "notice", dir: "auto" }, this.#said.text); }

    #form(action, isOff) {
      const needs = action.needs.includes("reason");
      const field = (name, words, required, tag = "textarea") => {
        const key = `${name} ${action.key}`, node = h(tag, { name, required, maxlength: name === "reason" ? 2000 : 500, dir: "auto", "data-k": key, on: { input: () => { this.#drafts[key] = node.value; } } });
        node.value = this.#drafts[key] || "";
        return h("label", null, words, node);
      };
      const close = () => { this.#open = null; this.#said = null; this.#back = action.key; this.#redraw(); };
      const form = h("form", { class: "form", "aria-label": action.label, on: { submit: (event) => { event.preventDefault(); if (this.#busy !== action.key) this.#press(action, event.target); }, keydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); close(); } } } },
        action.warning && p("small", action.warning),
        action.needs.includes("template") && FILLED.map((name) => field(name, this.#t(`template.${name}`), name !== "values", name === "values" ? "textarea" : "input")),
        action.id !== "retry" && field("reason", this.#t(needs ? "why" : "why.optional"), needs),
        h("div", { class: "buttons" }, h("button", { class: action.danger ? "main danger" : "main", disabled: isOff || this.#busy === action.key, "data-k": `do ${action.key}` }, this.#t("do")), h("button", { type: "button", "data-k": `cancel ${action.key}`, on: { click: close } }, this.#t("cancel"))));
      form.noValidate = true;
      return form;
    }

    #lock({ lock, presence }) {
      const others = presence.filter((one) => !one.me);
      if (!lock && !others.length) return null;
      return [
        h("h3", null, lock ? this.#t("lock") : this.#t("here")),
        lock && h("p", null, this.#t(lock.mine ? "lock.mine" : "lock.other", { name: lock.holder, time: this.#clock(lock.until) })),
        others.length > 0 && h("ul", { class: "small" }, others.map((one) => h("li", null, this.#t(`here.${one.doing}`, { name: one.name })))),
      ];
    }

    #approval(approval) {
      if (!approval) return null;
      const isSame = approval.original === approval.proposed;
      return [
        this.#title("approval"),
        h("p", null, strong(this.#t(`approval.${approval.state}`)), " ", span("soft small", this.#by(approval))),
        approval.reason && p("small", bdi(approval.reason)),
        fold("diff", this.#t("diff.what"), { class: null, open: true }, isSame ? [p("soft small", this.#t("diff.same")), text(approval.proposed)] : h("div", { class: "text diff", dir: "auto" }, difference(approval.original, approval.proposed))),
        approval.others?.length > 0 && fold("others", `${this.#t("approval.more")} (${this.#number(approval.others.length)})`, null, approval.others.map((one) => [p("soft", this.#by(one)), text(one.proposed)])),
      ];
    }

    #by(one) { return this.#t("approval.by", { name: one.by, time: this.#clock(one.at) }); }

    #reply() {
      if (this.hasAttribute("internal") && this.#field) return [this.#title("reply"), p("small", this.#t("reply.note"))];
      const told = this.#weighed;
      if (!told) return null;
      const share = told.limit ? Math.min(1, told.length / told.limit) : 0, bar = h("i");
      bar.style.width = `${share * 100}%`;
      return [
        this.#title("reply"),
        p("row", span(`tag ${told.visibility}`, this.#t(told.visibility)), span("small", this.#t(`who.${told.visibility}`))),
        p("small", told.limit ? this.#t("length", { length: this.#number(told.length), limit: this.#number(told.limit), unit: told.unit }) : this.#t("length.free", { length: this.#number(told.length), unit: told.unit })),
        told.limit && h("div", { class: told.length > told.limit ? "meter over" : "meter", "aria-hidden": "true" }, bar),
        told.concerns.length ? h("ul", { class: "small" }, told.concerns.map((one) => h("li", { class: one.severity === "hold" ? "notice bad" : "notice" }, strong(`${this.#t(one.severity === "hold" ? "hold.it" : "warn.it")}: `), bdi(one.sentence)))) : p("small soft", this.#t("reply.fine")),
      ];
    }

    #thread(data, ui) {
      const part = this.#parts.thread, all = data ? [...this.#older, ...data.messages] : [];
      const shown = all.slice(-this.#shown), sent = new Map([...this.#olderSent, ...(data?.deliveries || [])].map((item) => [item.message, item])), byId = new Map(all.map((message) => [message.id, message]));
      const key = JSON.stringify([ui, Boolean(data), all.length, shown.length, data?.thread.older, this.#olderThan]);
      if (this.#drawn.thread !== key || !part.firstChild) {
        this.#drawn.thread = key;
        if (!data) { part.replaceChildren(); this.#rows.clear(); return; }
        const list = part.querySelector("ol") || h("ol", { class: "thread" }), hasEarlier = all.length > shown.length || (this.#older.length ? this.#olderThan : data.thread.older);
        part.replaceChildren(
          h("h3", null, `${this.#t("thread")} · `, this.#n("messages", all.length)),
          ...(hasEarlier ? [h("p", null, h("button", { class: "plain", "data-k": "earlier", on: { click: () => this.#earlier() } }, this.#t("earlier")))] : []),
          ...(all.length ? [list] : [p("soft", this.#t("nothing"))]),
        );
      }
      const list = part.querySelector("ol");
      if (!list) return;
      const isFirst = !this.#rows.size, wanted = new Set(shown.map((message) => message.id));
      for (const [id, row] of this.#rows) if (!wanted.has(id)) { row.node.remove(); this.#rows.delete(id); }
      let place = list.firstElementChild;
      for (const message of shown) {
        const delivery = sent.get(message.id), parent = message.parent && byId.get(message.parent), opened = this.#open === `deed ${message.id}`;
        const look = JSON.stringify([ui, message, delivery, parent?.author.name, this.#expanded.has(message.id), opened, opened && [this.#busy]]);
        const row = this.#rows.get(message.id);
        let node = row?.node;
        if (!row || row.look !== look) {
          const fresh = this.#message(message, delivery, parent);
          if (node) { unfold(fresh, unfolded(node)); if (place === node) place = fresh; node.replaceWith(fresh); }
          else if (!isFirst) fresh.classList.add("fresh");
          node = fresh;
          this.#rows.set(message.id, { node, look });
        }
        if (node === place) place = place.nextElementSibling; else list.insertBefore(node, place);
      }
    }

    #face(author, name) {
      const letters = (Array.from(name.trim())[0] || "?").toUpperCase(), face = h("span", { class: `face ${author.role}`, "aria-hidden": "true" }, letters);
      if (isPath(author.avatar)) face.replaceChildren(this.#image(author.avatar, "", () => face.replaceChildren(letters)));
      return face;
    }

    #image(path, alt, error) {
      const src = `${(this.getAttribute("media") || "").replace(/\/$/, "")}${path}`;
      return h("img", { src, alt, loading: "lazy", referrerpolicy: "no-referrer", on: { error } });
    }

    #message(message, delivery, parent) {
      const { author } = message, name = author.name || this.#t(["staff", "agent"].includes(author.role) ? author.role : "someone"), isOurs = message.direction !== "inbound";
      const isLong = message.text.plain.length > LONG_TEXT, isWhole = this.#expanded.has(message.id);
      const words = h("div", { class: isLong && !isWhole ? "text long" : "text", dir: "auto" }, rich(message.text));
      const turn = () => { if (isWhole) this.#expanded.delete(message.id); else this.#expanded.add(message.id); this.#redraw(); };
      const said = message.deleted_at ? fold(`gone ${message.id}`, this.#t("show.deleted"), { class: null }, text(h("del", null, rich(message.text)))) : words;
      return h("li", { class: `message ${isOurs ? "ours" : "theirs"} ${author.role} ${author.likeness} ${message.direction === "notice" ? "notice-message" : ""}`, "data-id": message.id, tabindex: -1 },
        this.#face(author, name),
        h("div", { class: "bubble" },
          p("row small", span("by", bdi(name)), author.handle && author.handle !== name && span("soft", bdi(`@${author.handle}`)), span(author.likeness === "impostor" ? "tag bad" : "soft", author.role === "bystander" ? `${this.#t("from.bystander")} · ${this.#t(`like.${author.likeness || "unknown"}`)}` : this.#t(`from.${author.role}`)), this.#data && message.visibility !== this.#data.thread.visibility && span(`tag ${message.visibility}`, this.#t(message.visibility))),
          author.label && p(author.likeness === "impostor" ? "notice bad small" : "small soft", bdi(author.label)),
          parent ? h("button", { class: "plain small", "data-k": `parent ${message.id}`, on: { click: () => this.#go(parent.id) } }, "↪ ", this.#t("answers", { name: parent.author.name || this.#t(`from.${parent.author.role}`) })) : message.parent_missing && p("small soft", "↪ ", this.#t("answers.unknown")),
          message.deleted_at && p("small", "✕ ", this.#t("deleted", { time: this.#clock(message.deleted_at) })),
          message.text.plain && said,
          isLong && !message.deleted_at && h("button", { class: "plain small", "data-k": `more ${message.id}`, "aria-expanded": String(isWhole), on: { click: turn } }, this.#t(isWhole ? "less" : "more")),
          message.files.length > 0 && h("ul", { class: "files" }, message.files.map((file) => this.#file(file))),
          message.versions.length > 0 && fold(`versions ${message.id}`, `${this.#t("edited", { time: this.#clock(message.versions[message.versions.length - 1].at) })} · ${this.#t("versions")}`, null, h("ol", null, message.versions.slice(0, -1).map((one) => h("li", null, this.#time(one.at), text(rich(one.text)))))),
          message.found_by && p("small soft", this.#t("found", { name: message.found_by })),
          message.no_reply && p("small soft", bdi(message.no_reply)),
          message.remarks.map((one) => p("small soft", bdi(one))),
          p("row small soft", this.#time(message.at), message.reactions.map((one) => h("span", null, `${one.emoji} ${this.#number(one.count)}`)), web(message.url) && link(message.url, this.#t("open.original"))),
          message.hide && this.#hiding(message),
          delivery && this.#delivery(message, delivery)));
    }

    // What can be done about one message: a button, and its form once it is pressed.
    #deed(message, id, look, warning) {
      const key = `deed ${message.id}`, isOpen = this.#open === key, label = this.#t(id), act = { id, key, label, warning: this.#t(warning), needs: [], danger: id !== "show", arguments: { message: String(message.id) } };
      return [h("button", { class: look, "data-k": key, "aria-expanded": String(isOpen), on: { click: () => this.#toggle(key) } }, label), isOpen && this.#form(act, this.#state === "away")];
    }

    #hiding(message) {
      const id = message.hide, [button, form] = this.#deed(message, id, "plain", `c.${id}`);
      return [p("row small", id === "show" && strong(this.#t("hidden")), button), form];
    }

    #file(file) {
      const name = span("small", "📎 ", bdi(file.name), file.refusal && [` (${this.#t("file.not")}: `, bdi(file.refusal), ")"]);
      if (!isPath(file.src)) return h("li", null, name);
      const holder = h("li");
      holder.append(this.#image(file.src, file.description || file.name, () => holder.replaceChildren(name, span("small soft", ` ${this.#t("picture.failed")}`))));
      return holder;
    }

    #delivery(message, delivery) {
      const some = delivery.parts > 1 && delivery.parts_sent < delivery.parts;
      return h("div", { class: `delivery ${delivery.status}` },
        h("span", { "aria-hidden": "true" }, `${SIGNS[delivery.status]} `), strong(this.#t(`d.${delivery.status}`)), some && ` · ${this.#t("parts", { sent: delivery.parts_sent, all: delivery.parts })}`,
        delivery.error_text && h("p", { dir: "auto" }, delivery.error_text),
        delivery.can_retry && this.#deed(message, "retry", null, "c.retry"));
    }

    #go(id) {
      const node = this.#rows.get(id)?.node;
      if (!node) { this.#shown = Infinity; this.#redraw(); }
      const found = this.#rows.get(id)?.node;
      found?.scrollIntoView({ block: "nearest" });
      found?.focus({ preventScroll: true });
    }

    #help(found) {
      return [this.#title("help"), h("ul", { class: "small" }, found.map((one) => h("li", null, bdi(one.note), " ", one.link && [link(one.link, this.#t("article")), " "], link(one.ticket_url, `#${one.ticket_number}`))))];
    }

    #person(person) {
      const facts = [person.followers !== null && this.#n("followers", person.followers), person.verified && this.#t("verified"), person.bot && this.#t("bot"), person.since && this.#t("since", { time: new Intl.DateTimeFormat(this.#language, { dateStyle: "medium" }).format(new Date(person.since)) })].filter(Boolean);
      const open = (event, one) => { if (!this.#announce("cd-open-ticket", { ref: one.ticket_ref })) event.preventDefault(); };
      const ticket = (one) => one.current ? strong(this.#t("this.one")) : !one.ticket_number ? span("soft", this.#t("no.ticket")) : web(one.ticket_url) ? h("a", { href: one.ticket_url, target: "_blank", rel: "noopener", on: { click: (event) => open(event, one) } }, `#${one.ticket_number}`) : h("span", null, `#${one.ticket_number}`);
      return [
        this.#title("person"),
        p("row", this.#face({ role: "customer", avatar: person.avatar }, person.name), strong(bdi(person.name)), person.handle && (web(person.url) ? link(person.url, bdi(`@${person.handle}`)) : span("soft", bdi(`@${person.handle}`))), person.trust === "scam" && span("tag bad", this.#t("scam"))),
        facts.length > 0 && p("small soft", facts.join(" · ")),
        person.tags.length > 0 && p("small", `${this.#t("tags")}: `, person.tags.map((one) => [bdi(one), " "])),
        person.notes.length > 0 && fold("notes", this.#t("notes"), { open: true }, person.notes.map((one) => [text(one.text), p("soft", this.#by(one))])),
        person.identities.length > 1 && p("small", `${this.#t("accounts")}: `, person.identities.map((one, index) => [index ? ", " : "", bdi(`@${one.handle}`), ` (${one.network})`])),
        person.conversations.length > 0 && fold("known", `${this.#t("known")} (${this.#number(person.conversations.length)})`, { class: null }, h("ul", { class: "small off" }, person.conversations.map((one) => h("li", { class: "row" }, bdi(one.network), span(`tag ${one.visibility}`, this.#t(one.visibility)), span("soft", this.#t(`stage.${one.stage}`)), this.#time(one.last_at), ticket(one))))),
      ];
    }

    #foot(data) { return this.#t("updated", { time: this.#clock(data.server_now) }); }
  }

  const read = (field) => (field ? ("value" in field ? field.value : field.innerText || "") : "");
  if (!customElements.get("cd-panel")) customElements.define("cd-panel", CrossdeskPanel);
})();
